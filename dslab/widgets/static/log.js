// The replicated logs: one row per server, one column per index; only what is in view is drawn.
import { h, plainText, s, setAttrs, setText } from "./format.js";
import { nodeBadge, nodeView } from "./glyphs.js";
import { currentLeader, entryText } from "./entries.js";
import { authorityAt, classifyCell, commitNote, entryAt, lastLogIndex, logMoments, logServers, longestEntry, truncatedEntries } from "./logentries.js";
import { parts } from "./parts.js";
import { cellLabel, cellParts, createMinimap, frontierPath, keyItems, noteParts, refillCell } from "./logcells.js";

// px at the base text size of 13 px; in the document everything is em, so that zoom and large text work alike.
const LOG_GEOMETRY = { row: 46, top: 22, head: 114, headSmall: 66, column: 48, columnWide: 60, columnMost: 120, letter: 6.9, besideText: 27 };
const em = (px) => `${(px / 13).toFixed(4)}em`;

parts.log = {
  tabs: (spec) => (logServers(spec).length ? [["log", "Log"]] : []),
  views: (ctx) => (logServers(ctx.spec).length ? { log: createLogView(ctx) } : {}),
};

export function createLogView(ctx) {
  const { doc, store } = ctx;
  const servers = logServers(ctx.spec);
  const el = h(doc, "div", { class: "ds-log" });
  const grid = h(doc, "div", { class: "ds-log-grid", role: "grid", "aria-label": "Replicated logs", "aria-rowcount": servers.length + 1 });
  const scroller = h(doc, "div", { class: "ds-log-scroll" }, grid);
  const under = s(doc, "svg", { class: "ds-log-layer", "aria-hidden": "true" });
  const over = s(doc, "svg", { class: "ds-log-layer ds-log-over", "aria-hidden": "true" });
  const frontier = over.appendChild(s(doc, "path", { class: "ds-frontier" }));
  const corner = h(doc, "div", { class: "ds-log-corner", role: "columnheader", "aria-colindex": 1 }, "index");
  const top = h(doc, "div", { class: "ds-log-top", role: "row", "aria-rowindex": 1 }, corner);
  const minimap = createMinimap(doc, (first) => {
    follow = false;
    scrollTo((first - 1) * view.column * unit());
    draw();
  });
  const key = h(doc, "div", { class: "ds-log-key", "aria-hidden": "true" });
  const note = h(doc, "div", { class: "ds-note" });
  grid.append(under, top, over);
  el.append(scroller, h(doc, "div", { class: "ds-log-foot" }, key, minimap.el), note);

  const rows = new Map();
  const cells = new Map();
  const headers = new Map();
  const moments = new WeakMap();
  const widths = new WeakMap();
  let frame = null;
  const view = { column: LOG_GEOMETRY.column, head: LOG_GEOMETRY.head, fit: 8, columns: 8, first: 1 };
  let active = { row: 0, index: 1 };
  let follow = true;
  let expectedLeft = 0;
  let shownSelection = "";
  let known = [];

  const unit = () => parseFloat(doc.defaultView?.getComputedStyle(el).fontSize) / 13 || 1;
  // The violation that is chosen, once it has happened.
  const culprits = () => {
    const verdict = store.selection?.kind === "property" && store.branch.verdicts?.find((item) => item.name === store.selection.id);
    return verdict && verdict.status === "violated" && verdict.event <= frame.event ? verdict : null;
  };
  // The chosen cell: an entry, or the place where the chosen property broke.
  const selected = () => {
    const verdict = culprits();
    if (verdict?.index && verdict.nodes.length > 0) return { id: verdict.nodes[0], index: verdict.index };
    if (store.selection?.kind !== "entry") return null;
    const [id, index] = String(store.selection.id).split(":");
    return servers.includes(id) ? { id, index: Number(index) } : null;
  };

  scroller.addEventListener("scroll", () => {
    if (Math.abs(scroller.scrollLeft - expectedLeft) > 2) {
      follow = scroller.scrollLeft + scroller.clientWidth >= scroller.scrollWidth - view.column;
      expectedLeft = scroller.scrollLeft;
    }
    draw();
  });
  const observer = doc.defaultView?.ResizeObserver ? new doc.defaultView.ResizeObserver(() => draw()) : null;
  observer?.observe(scroller);
  grid.addEventListener("keydown", onKey);
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest?.("[data-cell]");
    if (cell) pick(...cell.dataset.cell.split(":"));
  });

  function onKey(event) {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [0, -view.fit], PageDown: [0, view.fit] }[event.key];
    if (!move && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (!move) return pick(servers[active.row], active.index);
    active = {
      row: Math.min(servers.length - 1, Math.max(0, active.row + move[0])),
      index: Math.min(view.columns, Math.max(1, active.index + move[1])),
    };
    reveal(active.row, active.index);
    draw();
    cells.get(`${servers[active.row]}:${active.index}`)?.focus({ preventScroll: true });
  }

  function pick(id, index) {
    active = { row: servers.indexOf(id), index: Number(index) };
    ctx.select({ kind: "entry", id: `${id}:${index}` });
    const words = commitNote(nodesNow(), id, Number(index), noteContext(id, Number(index)));
    ctx.say(plainText(`${words.title} ${words.text}`));
    draw();
    cells.get(`${id}:${index}`)?.focus({ preventScroll: true });
  }

  function reveal(row, index) {
    const px = unit();
    const left = (index - 1) * view.column * px;
    const room = scroller.clientWidth - view.head * px;
    const y = row * LOG_GEOMETRY.row * px;
    if (left < scroller.scrollLeft) scrollTo(left);
    else if (left + view.column * px > scroller.scrollLeft + room) scrollTo(left + view.column * px - room);
    if (y < scroller.scrollTop) scroller.scrollTop = y;
    const bottom = y + (LOG_GEOMETRY.row + LOG_GEOMETRY.top) * px;
    if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
  }

  function scrollTo(left) {
    expectedLeft = Math.max(0, left);
    scroller.scrollLeft = expectedLeft;
  }

  const nodesNow = () => servers.map((id) => frame.nodes.get(id));

  function noteContext(id, index) {
    const entry = entryAt(frame.nodes.get(id), index) ?? authorityAt(nodesNow(), index)?.entry;
    const found = entry ? momentsOf(id, index, entry.term) : null;
    return { stations: store.branch?.stations, commitTerm: found?.commitTerm ?? null };
  }

  // One width for the whole run, so that columns stay where they are while it plays.
  function longest() {
    if (!widths.has(store.trace)) widths.set(store.trace, longestEntry(store.trace));
    return widths.get(store.trace);
  }

  function momentsOf(id, index, term) {
    const known = moments.get(store.trace) ?? new Map();
    moments.set(store.trace, known);
    const name = `${id}:${index}:${term}`;
    if (!known.has(name)) known.set(name, logMoments(store.trace, id, index, term));
    return known.get(name);
  }

  function update(next, why) {
    const moving = why === "play" || why === "seek";
    const stale = !moving || changedSince(next);
    frame = next;
    if (stale) draw();
  }

  // Most events change a timer or a message, and no log: identity tells, because the trace never changes a state in place.
  function changedSince(next) {
    const nodes = servers.map((id) => next.nodes.get(id));
    const now = [store.branch, store.selection, next.groups, ...nodes.flatMap((node) => [node.fields, node.status, node.changed, node.skew, node.diskLost])];
    const same = now.every((item, i) => item === known[i]) && store.selection?.kind !== "property" && nodes.every((node) => node.fields.role !== "candidate");
    known = now;
    return !same;
  }

  function draw() {
    if (!frame) return;
    const px = unit();
    const nodes = nodesNow();
    const wide = (scroller.clientWidth || 558 * px) / px;
    view.head = wide < 400 ? LOG_GEOMETRY.headSmall : LOG_GEOMETRY.head;
    const usual = wide < 400 || wide > 580 ? LOG_GEOMETRY.columnWide : LOG_GEOMETRY.column;
    view.column = Math.min(LOG_GEOMETRY.columnMost, Math.max(usual, LOG_GEOMETRY.besideText + LOG_GEOMETRY.letter * longest()));
    view.fit = Math.max(1, Math.floor((wide - view.head - 6) / view.column));
    const used = Math.max(0, ...nodes.map(lastLogIndex));
    view.columns = Math.max(view.fit, used + 1);
    el.classList.toggle("ds-log-small", view.head === LOG_GEOMETRY.headSmall);
    grid.style.width = em(view.columns > view.fit ? (view.columns - view.fit) * view.column + wide : view.head + view.fit * view.column);
    grid.style.height = em(LOG_GEOMETRY.top + servers.length * LOG_GEOMETRY.row + 8);
    setAttrs(grid, { "aria-colcount": view.columns + 1 });
    if (follow) scrollTo((view.columns - view.fit) * view.column * px);
    revealNewSelection();
    drawWindow(nodes, px);
    minimap.el.hidden = view.columns <= view.fit;
    if (!minimap.el.hidden) minimap.update(nodes.reduce((a, b) => (lastLogIndex(b) > lastLogIndex(a) ? b : a)).fields, view);
    drawKey(nodes);
    drawNote(nodes);
  }

  function revealNewSelection() {
    const mark = selected();
    const name = mark ? `${mark.id}:${mark.index}` : "";
    if (name && name !== shownSelection) reveal(servers.indexOf(mark.id), mark.index);
    shownSelection = name;
  }

  function drawWindow(nodes, px) {
    const first = Math.max(1, Math.floor(scroller.scrollLeft / px / view.column) + 1);
    view.first = first;
    const last = Math.min(view.columns, first + view.fit + 1);
    const firstRow = Math.max(0, Math.floor(scroller.scrollTop / px / LOG_GEOMETRY.row) - 1);
    const height = scroller.clientHeight || 260 * px;
    const lastRow = Math.min(servers.length - 1, firstRow + Math.ceil(height / px / LOG_GEOMETRY.row) + 1);
    const indexes = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const focused = grid.contains(el.getRootNode().activeElement);
    if (focused && !indexes.includes(active.index) && active.index <= view.columns) indexes.push(active.index);
    const stop = {
      row: Math.min(lastRow, Math.max(firstRow, active.row)),
      index: focused ? active.index : Math.min(last, Math.max(first, active.index)),
    };
    drawHeaders(indexes);
    const authority = new Map(indexes.map((index) => [index, authorityAt(nodes, index)]));
    const mark = selected();
    const holders = mark ? new Set(commitNote(nodes, mark.id, mark.index).holders) : null;
    const leader = currentLeader(nodes);
    const inView = nodes.map((node, row) => ({ node, row })).filter(({ row }) => row >= firstRow && row <= lastRow);
    const spare = takeSpare(new Set(inView.flatMap(({ node }) => indexes.map((index) => `${node.id}:${index}`))));
    inView.forEach(({ node, row }) => {
      const line = rowFor(node, row);
      const ghosts = new Map(truncatedEntries(node));
      for (const index of indexes) {
        const cell = classifyCell(node, index, authority.get(index));
        cell.ghost = ghosts.get(index) ?? null;
        cell.match = leader && leader.fields.match_index?.[node.id] === index;
        cell.next = leader && leader.id !== node.id && leader.fields.next_index?.[node.id] === index;
        cell.pip = mark?.index === index ? (holders.has(node.id) ? "on" : "off") : "";
        cell.selected = mark?.id === node.id && mark.index === index;
        cell.first = index === first;
        cell.last = last;
        drawCell(line, node, index, cell, stop.row === row && stop.index === index, spare.get(node.id));
      }
    });
    for (const boxes of spare.values()) for (const box of boxes) box.remove();
    prune(rows, new Set(servers.slice(firstRow, lastRow + 1)));
    drawLayers(nodes, first, last, mark);
  }

  // Cells that left the view, by row: they are filled anew rather than made anew.
  function takeSpare(keep) {
    const spare = new Map(servers.map((id) => [id, []]));
    for (const [name, box] of cells) {
      if (keep.has(name)) continue;
      cells.delete(name);
      spare.get(name.slice(0, name.lastIndexOf(":"))).push(box);
    }
    return spare;
  }

  function prune(map, keep) {
    for (const [name, item] of map) {
      if (keep.has(name)) continue;
      item.remove();
      map.delete(name);
    }
  }

  function drawHeaders(indexes) {
    corner.style.width = em(view.head);
    for (const index of indexes) {
      if (!headers.has(index)) {
        headers.set(index, top.appendChild(h(doc, "div", { class: "ds-log-index", role: "columnheader", "aria-colindex": index + 1 }, String(index))));
      }
      headers.get(index).style.cssText = `left:${em(view.head + (index - 1) * view.column)};width:${em(view.column)}`;
    }
    prune(headers, new Set(indexes));
  }

  function rowFor(node, row) {
    let line = rows.get(node.id);
    if (!line) {
      line = h(doc, "div", { class: "ds-log-row", role: "row", "data-node": node.id, "aria-rowindex": row + 2 });
      line.style.top = em(LOG_GEOMETRY.top + row * LOG_GEOMETRY.row);
      line.append(h(doc, "div", { class: "ds-log-head", role: "rowheader", "aria-colindex": 1 }));
      rows.set(node.id, grid.insertBefore(line, over));
    }
    drawHead(line.firstChild, node);
    return line;
  }

  function drawHead(head, node) {
    const seen = nodeView(node, frame, store.trace, ctx.spec);
    const commit = node.fields.commit_index;
    const chosen = store.selection?.kind === "node" ? store.selection.id === node.id : Boolean(culprits()?.nodes?.includes(node.id));
    const look = `${seen.name} ${seen.text} ${commit} ${chosen} ${view.head}`;
    if (head.dataset.look === look) return;
    head.dataset.look = look;
    head.style.width = em(view.head);
    head.classList.toggle("ds-chosen", chosen);
    const said = commit === undefined ? "" : `commit ${commit}`;
    head.replaceChildren(h(doc, "span", { class: "ds-vh" }, [seen.name, said].filter(Boolean).join(", ")), nodeBadge(doc, seen),
      h(doc, "span", { "aria-hidden": "true" }, h(doc, "b", {}, node.id), said && h(doc, "small", {}, said)));
  }

  function drawCell(line, node, index, cell, isStop, spare) {
    const name = `${node.id}:${index}`;
    const box = cells.get(name) ?? spare.pop() ?? h(doc, "div", { class: "ds-cell", role: "gridcell" });
    cells.set(name, box);
    if (!box.parentNode) line.append(box);
    setAttrs(box, { tabindex: isStop ? 0 : -1, "aria-selected": String(cell.selected), "data-cell": name, "aria-colindex": index + 1 });
    const place = `left:${em(view.head + (index - 1) * view.column)};width:${em(view.column)}`;
    if (box.place !== place) box.style.cssText = place;
    box.place = place;
    const shape = [cell.kind, cell.applied, cell.conflicting, cell.ghost && entryText(cell.ghost), cell.match, cell.next, cell.pip, cell.kind === "snapshot" && [cell.first, index, cell.last, node.fields.snapshot_index]].join("|");
    const look = `${shape}|${name}|${cell.entry?.term}|${cell.entry && entryText(cell.entry)}`;
    if (box.look === look) return;
    box.look = look;
    setAttrs(box, { class: cell.kind === "empty" ? "ds-cell is-bare" : "ds-cell" });
    const said = box.firstChild ?? h(doc, "span", { class: "ds-vh" });
    setText(said, cellLabel(node, index, cell));
    if (box.shape !== shape) box.replaceChildren(said, ...cellParts(ctx, node, index, cell));
    else if (cell.entry) refillCell(box, cell.entry);
    box.shape = shape;
  }

  function drawLayers(nodes, first, last, mark) {
    const { row, top: y } = LOG_GEOMETRY;
    const width = (last - first + 1) * view.column;
    const height = y + servers.length * row + 4;
    for (const layer of [under, over]) {
      setAttrs(layer, { viewBox: `0 0 ${width} ${height}` });
      layer.style.cssText = `left:${em(view.head + (first - 1) * view.column)};width:${em(width)};height:${em(height)}`;
    }
    const known = nodes.some((node) => node.fields.commit_index !== undefined);
    const commits = nodes.map((node) => node.fields.commit_index ?? 0);
    const line = known ? frontierPath(commits, first, view.column, row, y, width) : "";
    const look = `${line}|${width}|${mark?.index}|${first}`;
    if (under.dataset.look === look) return;
    under.dataset.look = look;
    const bottom = y + servers.length * row;
    under.replaceChildren(s(doc, "path", { class: "ds-wash", d: line ? `${line.replace(` ${y - 5}V`, ` ${y}V`)}H-8V${y}z` : "" }));
    if (mark && mark.index >= first && mark.index <= last) {
      under.append(s(doc, "rect", { class: "ds-col", x: (mark.index - first) * view.column - 2, y: 1, width: view.column + 4, height: bottom + 1, rx: 6 }));
    }
    frontier.setAttribute("d", line);
    frontier.style.d = line ? `path("${line}")` : "none";
  }

  function drawKey(nodes) {
    const leader = currentLeader(nodes);
    const has = (name) => Boolean(el.querySelector(name));
    const names = Object.entries({
      bar: nodes.some((node) => node.fields.commit_index !== undefined), match: leader?.fields.match_index,
      next: leader?.fields.next_index, hatch: has(".ds-conflicting"), ghost: has(".ds-ghost"), applied: has(".ds-cell .ds-applied"),
    }).filter(([, shown]) => shown).map(([name]) => name);
    if (key.dataset.look === names.join()) return;
    key.dataset.look = names.join();
    key.replaceChildren(...keyItems(ctx, names));
  }

  function drawNote(nodes) {
    const mark = selected();
    note.hidden = !mark;
    if (!mark) return;
    const entry = entryAt(frame.nodes.get(mark.id), mark.index);
    const words = commitNote(nodes, mark.id, mark.index, noteContext(mark.id, mark.index));
    const look = JSON.stringify([mark, words, store.branch?.id]);
    if (note.dataset.look === look) return;
    note.dataset.look = look;
    note.replaceChildren(...noteParts(ctx, mark.index, words, entry ? momentsOf(mark.id, mark.index, entry.term) : {}));
  }

  return { el, update, focus: () => grid.querySelector("[tabindex='0']")?.focus(), destroy: () => observer?.disconnect() };
}

// The replicated logs: one row per server, one column per index; only what is in view is drawn.
import { h, listText, markup, plainText, s, setAttrs, termClass, valueText } from "./format.js";
import { nodeView, quorumMeter, quorumOf } from "./glyphs.js";

// px at the base text size of 13 px; in the document everything is em, so that zoom and large text work alike.
const LOG_GEOMETRY = { row: 46, top: 22, head: 114, headSmall: 66, column: 48, columnWide: 60 };
const MINIMAP_FROM = 200;
const em = (px) => `${(px / 13).toFixed(4)}em`;

/** Servers that show a log; the Log tab is absent when there are none. */
export function logServers(spec) {
  return spec.servers.filter((id) => spec.fields?.[id]?.includes("log"));
}

/** Highest index of a node's log, its snapshot included. */
export function lastLogIndex(node) {
  return (node.fields.snapshot_index ?? 0) + (node.fields.log?.length ?? 0);
}

/** The entry at `index` (counted from 1), or null. */
export function entryAt(node, index) {
  return node.fields.log?.[index - 1 - (node.fields.snapshot_index ?? 0)] ?? null;
}

/** Two entries at one index are the same entry when their terms agree (Raft's log matching property). */
export function sameEntry(a, b) {
  if (!a || !b) return false;
  return a.term !== undefined ? a.term === b.term : JSON.stringify(a) === JSON.stringify(b);
}

/** What a cell says: the command, or the entry itself where it has none. */
export function entryText(entry) {
  if (entry === null || typeof entry !== "object" || Array.isArray(entry)) return valueText(entry);
  if ("command" in entry) return entry.command === null ? "no-op" : valueText(entry.command);
  const { term, "@": type, ...rest } = entry;
  return valueText(rest);
}

const isUp = (node) => node.status !== "crashed";
const byTerm = (a, b) => (b.fields.term ?? 0) - (a.fields.term ?? 0);

/** The leader whose word counts: the one of the highest term that is not down. */
export function currentLeader(nodes) {
  return nodes.filter((node) => isUp(node) && node.fields.role === "leader").sort(byTerm)[0] ?? null;
}

/** The entry others are measured against at `index`: the committed one, else the leader's. */
export function authorityAt(nodes, index) {
  const committer = nodes.find((node) => (node.fields.commit_index ?? 0) >= index && entryAt(node, index));
  const holder = committer ?? currentLeader(nodes);
  return holder ? { entry: entryAt(holder, index), committed: Boolean(committer), node: holder.id } : null;
}

/** What to draw for one server at one index. */
export function classifyCell(node, index, authority) {
  if (index <= (node.fields.snapshot_index ?? 0)) return { kind: "snapshot", entry: null };
  const entry = entryAt(node, index);
  if (!entry) return { kind: "empty", entry: null };
  const committed = (node.fields.commit_index ?? 0) >= index;
  return {
    kind: committed ? "committed" : "uncommitted",
    entry,
    applied: (node.fields.last_applied ?? 0) >= index,
    conflicting: Boolean(authority?.entry) && !sameEntry(entry, authority.entry),
  };
}

/** Entries that the event at the cursor removed from a log: [[index, entry], ...]. */
export function truncatedEntries(node) {
  if (!node.changed?.includes("log") || node.changed.includes("snapshot_index")) return [];
  const offset = node.fields.snapshot_index ?? 0;
  return (node.before.log ?? [])
    .map((entry, i) => [i + 1 + offset, entry])
    .filter(([index, entry]) => !sameEntry(entry, entryAt(node, index)));
}

/** Events that appended, committed and truncated the entry of `term` at `index`; commit looks at every server. */
export function logMoments(trace, id, index, term) {
  const moments = { append: null, commit: null, commitTerm: null, truncate: null };
  const states = new Map();
  for (let i = 0; i < trace.n; i++) {
    const patch = trace.patch(i);
    if (!patch.length) continue;
    const node = trace.node(i);
    const state = states.get(node) ?? { fields: { log: [] } };
    states.set(node, state);
    for (const [field, ...change] of patch) {
      if (field === "log" && change.length === 3) state.fields.log.splice(change[0], change[1], ...change[2]);
      else state.fields[field] = field === "log" ? change[0].slice() : change[0];
    }
    const entry = entryAt(state, index);
    const holds = entry !== null && (entry.term ?? null) === (term ?? null);
    if (node === id && holds) moments.append ??= i;
    if (node === id && !holds && moments.append !== null) moments.truncate ??= i;
    if (holds && moments.commit === null && (state.fields.commit_index ?? 0) >= index) {
      moments.commit = i;
      moments.commitTerm = state.fields.term ?? null;
    }
  }
  return moments;
}

/** Why the entry is, or is not, committed: how many hold it and the rule in words. */
export function commitNote(nodes, id, index, { stations = [], commitTerm = null } = {}) {
  const node = nodes.find((item) => item.id === id);
  const authority = authorityAt(nodes, index);
  const own = entryAt(node, index);
  const entry = own ?? authority?.entry ?? null;
  const holders = nodes.filter((item) => entry && sameEntry(entryAt(item, index), entry));
  const n = nodes.length;
  const k = holders.length;
  return { k, n, holders: holders.map((item) => item.id), ...noteWords() };

  function noteWords() {
    if (!entry) return { title: `${id} has no entry ${index}.`, text: "" };
    if (!own) return { title: `${id} has no entry ${index}.`, text: `It is on ${k} of ${n}.` };
    if (authority?.entry && !sameEntry(own, authority.entry)) return conflictWords();
    if (authority?.committed && authority.entry) return committedWords();
    return waitingWords();
  }

  function conflictWords() {
    const rival = `\`${entryText(authority.entry)}\` of term {term:${authority.entry.term}}`;
    return {
      title: `Entry ${index} of ${id} conflicts.`,
      text: authority.committed
        ? `The committed entry there is ${rival}, so this one will be removed.`
        : `The leader ${authority.node} holds ${rival} there and will replace it.`,
    };
  }

  function committedWords() {
    const rivals = nodes.filter((item) => entryAt(item, index) && !sameEntry(entryAt(item, index), entry));
    let how = "";
    if (commitTerm !== null && entry.term !== undefined) {
      how = commitTerm === entry.term ? ", and of the leader’s own term"
        : `, behind an entry of term {term:${commitTerm}} (§5.4.2)`;
    }
    const lost = rivals.length
      ? ` ${listText(rivals.map((item) => `${item.id}’s`))} ${index} ${rivals.length > 1 ? "conflict" : "conflicts"} with it and cannot win.`
      : "";
    return { title: `Entry ${index} is committed:`, text: `on ${k} of ${n}${how}.${lost}` };
  }

  function waitingWords() {
    const quorum = quorumOf(n);
    const leader = currentLeader(nodes);
    const contender = leader ?? nodes.filter((item) => isUp(item) && item.fields.role === "candidate").sort(byTerm)[0];
    const title = k >= quorum ? `Entry ${index} is on ${k} of ${n} but not committed.` : `Entry ${index} is on ${k} of ${n}.`;
    if (leader && !sameEntry(entryAt(leader, index), entry)) {
      return { title, text: formerLeader(`${leader.id} leads term {term:${leader.fields.term}} without it and will replace it.`) };
    }
    const oldTerm = contender && entry.term !== undefined && contender.fields.term > entry.term;
    if (nodes.every((item) => item.fields.commit_index === undefined)) return { title, text: "" };
    if (oldTerm) {
      const may = `${contender.id} may commit it only behind an entry of term {term:${contender.fields.term}} (§5.4.2).`;
      return { title, text: formerLeader(may) };
    }
    if (!leader) return { title, text: formerLeader("a later leader may commit it only behind an entry of its own term (§5.4.2).") };
    if (k >= quorum) return { title, text: `${leader.id} commits it when it has heard so from a majority.` };
    const more = quorum - k;
    return { title, text: `${leader.id} may commit it when ${more} more ${more > 1 ? "servers hold" : "server holds"} it.` };
  }

  function formerLeader(rest) {
    const leader = stations.filter((station) => station.term === entry.term).at(-1)?.leader;
    const state = nodes.find((item) => item.id === leader);
    if (!state) return rest.replace(/^a /, "A ");
    if (rest.startsWith(leader)) return rest;
    const fate = !isUp(state) ? "crashed first" : state.fields.role === "leader" ? "is behind the times" : "lost office first";
    return `Its leader ${leader} ${fate}; ${rest}`;
  }
}

/** A node in miniature: role letter, term, ring; a cross when it is down. */
export function nodeBadge(doc, view) {
  const down = view.status === "crashed";
  return s(doc, "svg", { class: "ds-mini", viewBox: "0 0 32 32", "aria-hidden": "true" },
    s(doc, "circle", { cx: 16, cy: 16, r: 11, class: `ds-nf ds-thin ${down ? "is-down" : termClass(view.term)}` }),
    !down && view.ring && s(doc, "circle", { cx: 16, cy: 16, r: 14, class: view.ring === "leader" ? "ds-ring-leader" : "ds-ring-cand" }),
    down ? s(doc, "path", { d: "M11.5 11.5l9 9M20.5 11.5l-9 9", class: "ds-x-down" })
      : s(doc, "text", { x: 16, y: 20.2, "text-anchor": "middle", class: `ds-t12 ds-b ds-on ${termClass(view.term)}` }, view.text));
}

/** The stepped line of commit indexes, as path data in a window that starts at column `first`. */
export function frontierPath(commits, first, column, row, top, right) {
  const x = (commit) => Math.min(right + 8, Math.max(commit < first - 1 ? -8 : 1.3, (commit - first + 1) * column));
  return commits.map((commit, i) => `${i ? "H" : `M${x(commit)} ${top - 5}V${top}H`}${x(commit)}V${top + (i + 1) * row}`).join("");
}

export function createLogView(ctx) {
  const { doc, store } = ctx;
  const servers = logServers(ctx.spec);
  const el = h(doc, "div", { class: "ds-log" });
  const grid = h(doc, "div", { class: "ds-log-grid", role: "grid", "aria-label": "Replicated logs", "aria-rowcount": servers.length + 1 });
  const scroller = h(doc, "div", { class: "ds-log-scroll" }, grid);
  const under = s(doc, "svg", { class: "ds-log-layer", "aria-hidden": "true" });
  const over = s(doc, "svg", { class: "ds-log-layer ds-log-over", "aria-hidden": "true" });
  const corner = h(doc, "div", { class: "ds-log-corner", role: "columnheader", "aria-colindex": 1 }, "index");
  const top = h(doc, "div", { class: "ds-log-top", role: "row", "aria-rowindex": 1 }, corner);
  const minimap = createMinimap();
  const key = h(doc, "div", { class: "ds-log-key", "aria-hidden": "true" });
  const note = h(doc, "div", { class: "ds-note" });
  grid.append(under, top, over);
  el.append(scroller, minimap.el, key, note);

  const rows = new Map();
  const cells = new Map();
  const headers = new Map();
  const moments = new WeakMap();
  let frame = null;
  let view = { column: LOG_GEOMETRY.column, head: LOG_GEOMETRY.head, fit: 8, columns: 8 };
  let active = { row: 0, index: 1 };
  let follow = true;
  let expectedLeft = 0;
  let shownSelection = "";

  const unit = () => parseFloat(doc.defaultView?.getComputedStyle(el).fontSize) / 13 || 1;
  const culprits = () => (store.selection?.kind === "property" ? store.branch.verdicts?.find((verdict) => verdict.name === store.selection.id) : null);
  // The chosen cell: an entry, or the place where the chosen property broke.
  const selected = () => {
    const verdict = culprits();
    if (verdict?.index && verdict.nodes?.length && verdict.event <= frame.event) return { id: verdict.nodes[0], index: verdict.index };
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

  function momentsOf(id, index, term) {
    const known = moments.get(store.trace) ?? new Map();
    moments.set(store.trace, known);
    const name = `${id}:${index}:${term}`;
    if (!known.has(name)) known.set(name, logMoments(store.trace, id, index, term));
    return known.get(name);
  }

  function update(next) {
    frame = next;
    draw();
  }

  function draw() {
    if (!frame) return;
    const px = unit();
    const nodes = nodesNow();
    const wide = (scroller.clientWidth || 558 * px) / px;
    view.head = wide < 400 ? LOG_GEOMETRY.headSmall : LOG_GEOMETRY.head;
    view.column = wide < 400 || wide > 580 ? LOG_GEOMETRY.columnWide : LOG_GEOMETRY.column;
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
    minimap.update(nodes, px);
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
    const keep = new Set();
    nodes.forEach((node, row) => {
      if (row < firstRow || row > lastRow) return;
      const line = rowFor(node, row);
      const ghosts = new Map(truncatedEntries(node));
      for (const index of indexes) {
        const name = `${node.id}:${index}`;
        keep.add(name);
        const cell = classifyCell(node, index, authority.get(index));
        cell.ghost = ghosts.get(index) ?? null;
        cell.match = leader && leader.fields.match_index?.[node.id] === index;
        cell.next = leader && leader.id !== node.id && leader.fields.next_index?.[node.id] === index;
        cell.pip = mark?.index === index ? (holders.has(node.id) ? "on" : "off") : "";
        cell.selected = mark?.id === node.id && mark.index === index;
        cell.first = index === first;
        drawCell(line, node, index, cell, stop.row === row && stop.index === index);
      }
    });
    prune(cells, keep);
    prune(rows, new Set(servers.slice(firstRow, lastRow + 1)));
    drawLayers(nodes, first, last, mark);
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
    head.replaceChildren(hiddenText(commit === undefined ? seen.name : `${seen.name}, commit ${commit}`), nodeBadge(doc, seen), h(doc, "span", { "aria-hidden": "true" }, h(doc, "b", {}, node.id),
      commit !== undefined && h(doc, "small", {}, `commit ${commit}`)));
  }

  // Said, not drawn: the drawing beside it is hidden from assistive technology.
  function hiddenText(text) {
    return h(doc, "span", { class: "ds-vh" }, text);
  }

  function drawCell(line, node, index, cell, isStop) {
    const name = `${node.id}:${index}`;
    let box = cells.get(name);
    if (!box) {
      box = h(doc, "div", { class: "ds-cell", role: "gridcell", "data-cell": name, "aria-colindex": index + 1 });
      cells.set(name, box);
      line.append(box);
    }
    setAttrs(box, { tabindex: isStop ? 0 : -1, "aria-selected": String(cell.selected) });
    const text = cell.entry ? entryText(cell.entry) : "";
    const look = [view.column, cell.kind, cell.entry?.term, text, cell.applied, cell.conflicting, cell.ghost?.term,
      cell.match, cell.next, cell.pip, cell.first && cell.kind === "snapshot"].join("|");
    if (box.dataset.look === look) return;
    box.dataset.look = look;
    box.style.cssText = `left:${em(view.head + (index - 1) * view.column)};width:${em(view.column)}`;
    box.replaceChildren(hiddenText(cellLabel(node, index, cell, text)), ...cellParts(node, index, cell, text));
  }

  function cellParts(node, index, cell, text) {
    const parts = [];
    if (cell.entry) {
      const looks = `ds-entry ds-${cell.kind}${cell.conflicting ? " ds-conflicting" : ""}`;
      parts.push(h(doc, "span", { class: looks, "aria-hidden": "true" },
        cell.entry.term !== undefined && h(doc, "span", { class: `ds-entry-term ${termClass(cell.entry.term)}` }, String(cell.entry.term)),
        h(doc, "span", { class: "ds-entry-load" }, h(doc, "span", {}, text))));
      if (cell.applied) parts.push(h(doc, "span", { class: "ds-applied" }, ctx.icon("check")));
    }
    if (cell.kind === "snapshot" && (cell.first || index === node.fields.snapshot_index)) {
      parts.push(h(doc, "span", { class: "ds-entry ds-committed ds-snapshot", "aria-hidden": "true" }, `1–${node.fields.snapshot_index}`));
    }
    if (cell.ghost) {
      parts.push(h(doc, "span", { class: "ds-ghost", "aria-hidden": "true" },
        h(doc, "span", { class: `ds-entry-term ${termClass(cell.ghost.term)}` }, String(cell.ghost.term ?? "")),
        h(doc, "s", {}, entryText(cell.ghost))));
    }
    if (cell.pip) parts.push(h(doc, "span", { class: `ds-log-pip ds-pip-${cell.pip}` }));
    if (cell.match) parts.push(markerSvg("ds-match"));
    if (cell.next) parts.push(markerSvg("ds-next"));
    return parts;
  }

  function markerSvg(name) {
    return s(doc, "svg", { class: `ds-marker ${name}`, viewBox: "0 0 10 9", "aria-hidden": "true" }, s(doc, "path", { d: "M1 8l4-6.5 4 6.5z" }));
  }

  function cellLabel(node, index, cell, text) {
    const said = [`${node.id} index ${index}`];
    if (cell.kind === "snapshot") said.push("in the snapshot");
    else if (!cell.entry) said.push("empty");
    else {
      said.push(text, cell.entry.term !== undefined && `term ${cell.entry.term}`, cell.applied ? "applied" : cell.kind,
        cell.conflicting && "conflicting");
    }
    if (cell.ghost) said.push(`${entryText(cell.ghost)} of term ${cell.ghost.term} was removed here`);
    said.push(cell.match && "match index", cell.next && "next index");
    return said.filter(Boolean).join(", ");
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
    over.replaceChildren(s(doc, "path", { class: "ds-frontier", d: line }));
  }

  function drawKey(nodes) {
    const leader = currentLeader(nodes);
    const has = (name) => Boolean(el.querySelector(name));
    const items = [
      [nodes.some((node) => node.fields.commit_index !== undefined), "bar", "committed up to here"],
      [Boolean(leader?.fields.match_index), "ds-match", "match"],
      [Boolean(leader?.fields.next_index), "ds-next", "next"],
      [has(".ds-conflicting"), "hatch", "conflict"],
      [has(".ds-ghost"), "ghost", "removed now"],
      [has(".ds-applied"), "applied", "applied"],
    ].filter(([shown]) => shown);
    const look = items.map(([, name]) => name).join();
    if (key.dataset.look === look) return;
    key.dataset.look = look;
    key.replaceChildren(...items.map(([, name, text]) => h(doc, "span", {}, keyMark(name), text)));
  }

  function keyMark(name) {
    if (name === "ds-match" || name === "ds-next") return markerSvg(name);
    if (name === "applied") return h(doc, "i", { class: "ds-applied" }, ctx.icon("check"));
    return h(doc, "i", { class: `ds-key-${name}` });
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
    const found = entry ? momentsOf(mark.id, mark.index, entry.term) : {};
    const go = (name, event) => event !== null && event !== undefined
      && h(doc, "button", { class: "ds-btn ds-out ds-go", type: "button", "aria-label": `Go to the ${name} of entry ${mark.index}`, onclick: () => ctx.seek({ event }) }, name);
    const buttons = [go("append", found.append), go("commit", found.commit), go("truncate", found.truncate)].filter(Boolean);
    const held = new Map(servers.map((id, i) => [id, i < words.k ? "granted" : "pending"]));
    note.replaceChildren(s(doc, "svg", { viewBox: "0 0 112 34", class: "ds-note-meter", "aria-hidden": "true" }, quorumMeter(doc, held, 2, 6)),
      h(doc, "div", {}, h(doc, "p", {}, h(doc, "b", {}, words.title), " ", markup(doc, words.text)),
        buttons.length > 0 && h(doc, "p", { class: "ds-gos" }, "Go to", buttons)));
  }

  function createMinimap() {
    const svg = s(doc, "svg", { viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    const range = h(doc, "input", { type: "range", min: 1, step: 1, "aria-label": "First index in view",
      oninput: () => { follow = false; scrollTo((range.value - 1) * view.column * unit()); draw(); } });
    const box = h(doc, "div", { class: "ds-minimap", hidden: true }, svg, range);
    let drawn = null;
    return {
      el: box,
      update(nodes, px) {
        box.hidden = view.columns <= MINIMAP_FROM;
        if (box.hidden) return;
        const first = Math.floor(scroller.scrollLeft / px / view.column) + 1;
        setAttrs(range, { max: Math.max(1, view.columns - view.fit + 1), "aria-valuetext": `index ${first} of ${view.columns - 1}` });
        range.value = first;
        const log = nodes.reduce((a, b) => (lastLogIndex(b) > lastLogIndex(a) ? b : a)).fields;
        if (drawn !== log.log) svg.replaceChildren(...termRuns(log).map(([from, to, term]) => s(doc, "rect",
          { class: termClass(term), x: (1000 * from) / view.columns, width: (1000 * (to - from)) / view.columns, y: 1, height: 8 })),
        s(doc, "rect", { class: "ds-lens", y: 0, height: 10 }));
        drawn = log.log;
        setAttrs(svg.lastChild, { x: (1000 * (first - 1)) / view.columns, width: Math.max(4, (1000 * view.fit) / view.columns) });
      },
    };
  }

  return { el, update, focus: () => grid.querySelector("[tabindex='0']")?.focus(), destroy: () => observer?.disconnect() };
}

/** Runs of one term in a log: [[from, to, term], ...], from counted from 0. */
export function termRuns({ log = [], snapshot_index: offset = 0 }) {
  const runs = [];
  log.forEach((entry, i) => {
    const run = runs.at(-1);
    if (run && run[2] === entry.term) run[1] = offset + i + 1;
    else runs.push([offset + i, offset + i + 1, entry.term]);
  });
  return runs;
}

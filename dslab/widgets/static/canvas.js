// Messages in bulk: a few batched paths per frame, whatever their number.

import { h, durationText, iconData } from "./format.js";
import { NODE } from "./geometry.js";
import { timerFraction } from "./glyphs.js";

const TAILS_UP_TO = 300;       // tails and term numbers are left out above: by measurement they double the cost of a frame
const COARSE = 0.6;            // pixel ratio when frames take too long
const COLOURS = { ink: "--ds-ink", ink2: "--ds-ink2", bg: "--ds-bg", mark: "--ds-mark", line2: "--ds-line2", danger: "--ds-danger", focus: "--ds-focus" };

/** A canvas over the stage that draws flights; colours are resolved once per theme. */
export function createMessageCanvas(ctx) {
  const { doc } = ctx;
  const el = h(doc, "canvas", { class: "ds-stage-canvas", "aria-hidden": "true", hidden: true });
  let pen = null;
  let colours = null;
  let drawnAny = false;
  let coarse = false;
  const ratio = () => Math.min(2, doc.defaultView.devicePixelRatio || 1) * (coarse ? COARSE : 1);

  function resize(width, height) {
    el.style.aspectRatio = `${width} / ${height}`;
    el.dataset.width = width;
    el.dataset.height = height;
    pen = null;
  }

  function prepare() {
    const width = Number(el.dataset.width);
    const box = el.getBoundingClientRect();
    const scale = ((box.width || width) / width) * ratio();
    el.width = Math.round(width * scale);
    el.height = Math.round(Number(el.dataset.height) * scale);
    pen = el.getContext("2d");
    pen?.setTransform(scale, 0, 0, scale, 0, 0);
  }

  function resolveColours() {
    const probe = h(doc, "span", { hidden: true });
    el.parentNode.append(probe);
    const read = (name) => {
      probe.style.color = `var(${name})`;
      return doc.defaultView.getComputedStyle(probe).color;
    };
    colours = Object.fromEntries(Object.entries(COLOURS).map(([key, name]) => [key, read(name)]));
    colours.terms = [1, 2, 3, 4, 5, 6].map((i) => read(`--ds-t${i}`));
    probe.remove();
  }

  function clear() {
    if (!drawnAny) return;
    pen?.clearRect(0, 0, Number(el.dataset.width), Number(el.dataset.height));
    el.hidden = true;
    drawnAny = false;
  }

  function draw({ flights: flying, lost, timers, scale, chosen, faded }) {
    el.hidden = false;
    drawnAny = true;
    if (!pen) prepare();
    if (!pen) return;
    if (!colours) resolveColours();
    const size = Math.max(0.45, scale);
    pen.clearRect(0, 0, Number(el.dataset.width), Number(el.dataset.height));
    strokeTimers(pen, timers, scale, colours);
    strokeLost(pen, lost, colours);
    const moving = flying.filter(({ mark }) => !mark.held);
    if (flying.length <= TAILS_UP_TO) fillTails(pen, moving, size, colours);
    fillArrows(pen, moving, size, colours);
    const flights = [...flying, ...flying.filter(({ twin }) => twin).map((flight) => ({ ...flight, y: flight.y + 10 * size }))];
    const marks = flights.filter((f) => f.klass !== "entry" && !isReply(f));
    fillMarks(pen, marks.filter((f) => f.klass !== "heartbeat"), size, colours);
    pen.globalAlpha = faded ? 0.4 : 1;
    fillMarks(pen, marks.filter((f) => f.klass === "heartbeat"), size, colours);
    pen.globalAlpha = 1;
    strokeReplies(pen, flights.filter(isReply), size, colours);
    const numbered = flights.length <= TAILS_UP_TO;
    fillEntries(pen, flights.filter((f) => f.klass === "entry"), numbered ? Math.max(size, 11 / 12) : size, colours, numbered);
    for (const flight of flying) if (flight.mark.held || flight.mark.delayUs || flight.twin) drawFate(pen, flight, colours);
    writeCounts(pen, flying.filter(({ count }) => count > 1), colours);
    const selected = flights.find((f) => f.k === chosen);
    if (selected) ringAround(pen, selected, colours);
  }

  function setCoarse(next) {
    coarse = next;
    pen = null;
  }

  return { el, resize, draw, clear, setCoarse, retheme: () => { colours = null; } };
}

function strokeTimers(pen, timers, scale, colours) {
  const r = NODE.timer * scale;
  for (const low of [false, true]) {
    pen.strokeStyle = low ? colours.ink : colours.mark;
    pen.lineWidth = (low ? 5 : 3) * scale;
    pen.beginPath();
    for (const { view, place, at } of timers) {
      const fraction = timerFraction(view.timer, at);
      if (fraction < 1 / 6 !== low || fraction <= 0) continue;
      pen.moveTo(place.x, place.y - r);
      pen.arc(place.x, place.y, r, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * fraction);
    }
    pen.stroke();
  }
}

function ringAround(pen, { x, y }, colours) {
  pen.strokeStyle = colours.focus;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 16, 0, 2 * Math.PI);
  pen.stroke();
}

function writeCounts(pen, flights, colours) {
  pen.font = "600 12px system-ui, sans-serif";
  pen.textAlign = "left";
  pen.fillStyle = colours.ink;
  for (const { x, y, count } of flights) pen.fillText(`×${count}`, x + 9, y - 7);
}

// Where messages died: the way they flew, the way they did not, and a cross.
function strokeLost(pen, lost, colours) {
  const lines = (colour, width, dash, path) => {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    for (const item of lost) path(item);
    pen.stroke();
  };
  const cross = ({ x, y }) => {
    pen.moveTo(x - 5, y - 5);
    pen.lineTo(x + 5, y + 5);
    pen.moveTo(x + 5, y - 5);
    pen.lineTo(x - 5, y + 5);
  };
  const from = (x1, y1, x2, y2) => {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  };
  lines(colours.line2, 1.5, [], ({ way, x, y }) => from(way.x1, way.y1, x, y));
  lines(colours.danger, 1.25, [2, 4], ({ way, x, y }) => from(x, y, way.x2, way.y2));
  lines(colours.bg, 7, [], cross);
  lines(colours.danger, 2.5, [], cross);
}

// The badges of the SVG tier: padlock, clock with the extra time, twin.
function drawFate(pen, { x, y, mark, twin }, colours) {
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  pen.fillStyle = colours.ink2;
  if (twin) pen.fillText("×2", x + 22, y + 9);
  if (!mark.held && !mark.delayUs) return;
  if (!mark.held) {
    pen.textAlign = "right";
    pen.fillText(`+${durationText(mark.delayUs)}`, x - 12, y - 12);
  }
  pen.fillStyle = colours.bg;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x + 11, y - 11, 8.5, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.save();
  pen.translate(x + 5, y - 17);
  pen.scale(0.75, 0.75);
  pen.stroke(new Path2D(iconData(mark.held ? "lock" : "clock")));
  pen.restore();
}

function isReply(flight) {
  return flight.klass === "reply" || flight.klass === "yes" || flight.klass === "no";
}

function fillTails(pen, flights, size, colours) {
  pen.fillStyle = colours.ink;
  pen.globalAlpha = 0.24;
  triangles(pen, flights, size, ({ fraction, way }) => -Math.min(30 * size, fraction * way.length), 0);
  pen.globalAlpha = 1;
}

function fillArrows(pen, flights, size, colours) {
  pen.fillStyle = colours.ink;
  triangles(pen, flights, size, () => 15 * size, 9 * size);
}

/** Triangles along each way: from a tip to a base 8 px wide, both given in px from the message. */
function triangles(pen, flights, size, tipOf, base) {
  const half = 4 * size;
  pen.beginPath();
  for (const flight of flights) {
    const { x, y, way } = flight;
    const tip = tipOf(flight);
    pen.moveTo(x + way.ux * tip, y + way.uy * tip);
    pen.lineTo(x + way.ux * base - way.uy * half, y + way.uy * base + way.ux * half);
    pen.lineTo(x + way.ux * base + way.uy * half, y + way.uy * base - way.ux * half);
  }
  pen.fill();
}

function fillMarks(pen, flights, size, colours) {
  pen.fillStyle = colours.ink;
  pen.beginPath();
  for (const { x, y, klass } of flights) {
    const r = (klass === "heartbeat" ? 4 : 6) * size;
    pen.moveTo(x + r, y);
    pen.arc(x, y, r, 0, 2 * Math.PI);
  }
  pen.fill();
}

function strokeReplies(pen, flights, size, colours) {
  pen.fillStyle = colours.bg;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 2 * size;
  pen.beginPath();
  for (const { x, y } of flights) {
    pen.moveTo(x + 7 * size, y);
    pen.arc(x, y, 7 * size, 0, 2 * Math.PI);
  }
  pen.fill();
  for (const { x, y, klass } of flights) {
    const arm = 3.2 * size;
    if (klass === "reply") continue;
    pen.moveTo(x - arm, y);
    pen.lineTo(x + arm, y);
    if (klass !== "yes") continue;
    pen.moveTo(x, y - arm);
    pen.lineTo(x, y + arm);
  }
  pen.stroke();
}

function fillEntries(pen, flights, size, colours, numbered) {
  const side = 18 * size;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 1.5 * size;
  for (let i = 0; i < 6; i++) {
    const same = flights.filter(({ term }) => (((term || 1) - 1) % 6) === i);
    if (!same.length) continue;
    pen.fillStyle = colours.terms[i];
    pen.beginPath();
    for (const { x, y } of same) pen.rect(x - side / 2, y - side / 2, side, side);
    pen.fill();
    pen.stroke();
  }
  if (!numbered) return;
  pen.font = `600 ${12 * size}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const { x, y, term } of flights) {
    pen.fillStyle = ((term - 1) % 6) === 0 ? "#fff" : "#000";
    pen.fillText(String(term), x, y);
  }
}

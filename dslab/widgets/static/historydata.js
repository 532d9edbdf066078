// Operation histories as plain records: what is known by now, where a point may stand, whether an order explains all answers.

import { countText } from "./format.js";

const ORDINALS = ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** "third", "12th". */
export function placeWord(n) {
  return ORDINALS[n] ?? `${n}th`;
}

/** Units from the left for a cursor: by the moment, and between two moments by the time. */
export function unitsAt(marks, moment, us) {
  let i = marks.length - 1;
  while (i >= 0 && marks[i][0] > moment) i -= 1;
  if (i < 0) return marks[0]?.[1] ?? 0;
  const [, left, from] = marks[i];
  const next = marks[i + 1];
  if (!next) return left + Math.min(0.5, Math.max(0, us - from) / 1e6);
  return left + (next[1] - left) * Math.max(0, Math.min(1, next[2] === from ? 0 : (us - from) / (next[2] - from)));
}

/** The chart as it can be known after event `known`: what begins later is left out, what ends later is still open. */
export function knownChart(chart, known, broken = null) {
  const hidden = new Set();
  const operations = chart.operations.map((op, i) => {
    if (op.invoked > known) hidden.add(i);
    const open = op.completed === null || op.completed > known;
    return open && op.completed !== null ? { ...op, to: null, completed: null, status: "unknown", label: op.asked ?? op.label, says: op.asks ?? op.says } : op;
  });
  const told = broken === null || broken <= known;
  // The order up to the last answer that is known: nothing that begins later can stand before it.
  let last = -1;
  chart.order.forEach((i, k) => { if (operations[i].completed !== null) last = k; });
  const complete = last === chart.order.length - 1;
  return {
    ...chart, operations, hidden, known,
    order: chart.order.slice(0, last + 1), points: chart.points && chart.points.slice(0, last + 1), values: chart.values.slice(0, last + 1),
    ...(told ? {} : { verdict: "ok", stuck: null, smallest: [], why: "", order: [], points: null, values: [] }),
    soFar: !complete || !told,
  };
}

/** Positions in units to which a point can be moved by key: one in each part of its interval between others' ends and points. */
export function stopsOf(chart, placed, i) {
  const [low, high] = rangeOf(chart, i);
  const cuts = [low, high];
  chart.operations.forEach((op, other) => {
    if (other === i) return;
    for (const at of [op.from, op.to, placed[other]]) if (at !== null && at !== undefined && at > low && at < high) cuts.push(at);
  });
  const sorted = [...new Set(cuts)].sort((a, b) => a - b);
  return sorted.slice(1).map((end, k) => (sorted[k] + end) / 2);
}

/** Where a point may stand at all: in the interval; anywhere where real time does not count. */
export function rangeOf(chart, i) {
  const op = chart.operations[i];
  return chart.table && chart.table.rule !== "interval" ? [0, chart.width] : [op.from, op.to ?? chart.width];
}

/** What the placed points come to: {order, values, wrong, missing, done, text}. `placed` is {operation: units}. */
export function judgePoints(chart, placed) {
  const { operations, table } = chart;
  const order = Object.keys(placed).map(Number).filter((i) => operations[i] && Number.isFinite(placed[i])).sort((a, b) => placed[a] - placed[b] || a - b);
  const missing = operations.filter((op, i) => op.status === "ok" && placed[i] === undefined).length;
  const values = [];
  let state = 0;
  for (const [k, i] of order.entries()) {
    const earlier = table.rule === "program" && order.slice(k + 1).find((j) => operations[j].lane === operations[i].lane && operations[j].from < operations[i].from);
    const fail = (text) => ({ order, values, wrong: i, missing, done: false, text });
    if (earlier !== false && earlier !== undefined) return fail(`${chart.lanes[operations[i].lane]} did this after something that comes later here: ${operations[earlier].says}.`);
    const next = table.steps[state]?.[i] ?? -1;
    if (next < 0) return fail(`${sentence(operations[i].says)} cannot be number ${k + 1}: ${k ? `after ${sentence(operations[order[k - 1]].says)}` : "at the beginning"} the value is ${values.at(-1) ?? table.states[0]}.`);
    state = next;
    values.push(table.states[state]);
  }
  const fine = { order, values, wrong: null, missing };
  if (!order.length) return { ...fine, done: false, text: "Give each operation the moment at which it takes effect." };
  if (missing) return { ...fine, done: false, text: `${order.length} placed, ${missing} to go; every answer fits so far.` };
  return { ...fine, done: true, text: `It works: in this order every answer fits.` };
}

const sentence = (says) => says.split(";")[0];

/** The verdict in words, as far as it is known. */
export function verdictText(chart) {
  const { consistency, verdict, order, soFar, why, smallest } = chart;
  if (!chart.operations.length) return "No operation has begun yet.";
  if (verdict === "violation") return why || `Not ${consistency}: no order explains all answers.${smallest.length > 1 ? ` ${countText(smallest.length, "operation")} are enough to see it.` : ""}`;
  if (verdict !== "ok") return why || "This has not been judged.";
  if (!order.length) return soFar ? `${sentenceCase(consistency)} so far.` : `${sentenceCase(consistency)}.`;
  return `${sentenceCase(consistency)}${soFar ? " so far" : ""}: the numbers are an order that explains ${order.length === 1 ? "the answer" : "all answers"}${chart.points ? ", each inside its interval" : ""}.`;
}

const sentenceCase = (text) => text[0].toUpperCase() + text.slice(1);

/** One operation in words: what, when, and which part it has in the verdict. */
export function factsOf(chart, i, clock = (moment) => String(moment)) {
  const op = chart.operations[i];
  const place = chart.order.indexOf(i);
  const parts = [`${op.says}.`, `From ${clock(op.invoked)} ${op.completed === null ? "on" : `to ${clock(op.completed)}`}.`];
  if (chart.stuck === i) parts.push("It fits nowhere.");
  else if (chart.verdict === "violation" && chart.smallest.includes(i)) parts.push("It is part of the smallest contradiction.");
  if (place >= 0) parts.push(`${sentenceCase(placeWord(place + 1))} in the order${chart.values[place] !== undefined ? `; then the value is ${chart.values[place]}` : ""}.`);
  return parts.join(" ");
}

/** The order as sentences, for those who do not see the picture. */
export function orderList(chart) {
  return chart.order.map((i, k) => `${chart.operations[i].says}${chart.values[k] !== undefined ? `; the value is ${chart.values[k]}` : ""}`);
}

// An entry of a log as text, and whose word counts. No drawing here.
import { valueText } from "./format.js";

/** What a cell says: the command, or the entry itself where it has none. */
export function entryText(entry) {
  if (entry === null || typeof entry !== "object" || Array.isArray(entry)) return valueText(entry);
  if ("command" in entry) return entry.command === null ? "no-op" : entry.command["@"] ?? valueText(entry.command);
  const { term, "@": type, ...rest } = entry;
  return valueText(rest);
}

/** Whether a node runs. */
export const isUp = (node) => node.status !== "crashed";
/** The order of nodes with the highest term first. */
export const byTerm = (a, b) => (b.fields.term ?? 0) - (a.fields.term ?? 0);

/** The leader whose word counts: the one of the highest term that is not down. */
export function currentLeader(nodes) {
  return nodes.filter((node) => isUp(node) && node.fields.role === "leader").sort(byTerm)[0] ?? null;
}

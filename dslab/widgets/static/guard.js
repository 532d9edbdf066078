// Keeps playing smooth: when frames take too long, the canvas draws less, step by step, and says so.

const SLOW_MS = 24;
const WINDOW_MS = 1000;

/** What each step gives up, in the words of the legend. */
export const ECONOMIES = ["", "drawn coarser to keep up", "heartbeats hidden to keep up", "parallel messages drawn as one"];

/** `note(ms)` for every frame; calls `changed(level)` when the 95th percentile of a second of them is too long. */
export function createFrameGuard(changed) {
  let level = 0;
  let times = [];
  let sum = 0;
  return {
    note(ms) {
      times.push(ms);
      sum += ms;
      if (sum < WINDOW_MS) return;
      const slow = times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] > SLOW_MS;
      times = [];
      sum = 0;
      if (slow && level < ECONOMIES.length - 1) changed(level += 1);
    },
    /** Another run or another size: start again. */
    reset() {
      times = [];
      sum = 0;
      if (level) changed(level = 0);
    },
  };
}

/** One message for all that fly the same way: the foremost of each class, with how many it stands for. */
export function mergeParallel(flights) {
  const first = new Map();
  for (const flight of flights) {
    const name = `${flight.way.x1} ${flight.way.y1} ${flight.way.x2} ${flight.way.y2} ${flight.klass}`;
    const other = first.get(name);
    const ahead = !other || flight.fraction > other.fraction ? flight : other;
    first.set(name, { ...ahead, count: (other?.count ?? 0) + 1 });
  }
  return [...first.values()];
}

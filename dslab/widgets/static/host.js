// What the page around the widget decides: theme, room, motion, whether anybody can see it.

const PLAY_EVENT = "dslab-play";
const DESIGN_FONT_PX = 13;

/** "wide", "one" (column) or "small" by the width in em; the same limits as the container queries of lab.css. */
export function layoutMode(widthEm) {
  return widthEm >= 74 ? "wide" : widthEm >= 46 ? "one" : "small";
}

/** Width of the stage beside the side views: its designed part, but never so much that a log cannot be read beside it. */
export function stageWidth(width) {
  return Math.min(width - 430, Math.max((width * 640) / 1198, 640));
}

/** Luminance of a resolved colour, 0 to 1; reads rgb() and color(srgb ...). */
export function luminanceOf(colour) {
  const numbers = (colour.match(/[\d.]+(e-?\d+)?/g) ?? []).map(Number);
  const parts = (colour.startsWith("color(") ? numbers : numbers.map((value) => value / 255)).slice(0, 3);
  const [r, g, b] = parts.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const LAYOUT_KEY = "dslab-layout:";

/** The layout chosen for this notebook: "ring" unless told otherwise. Where storage is forbidden, for this widget only. */
export function rememberedLayout(win) {
  const name = LAYOUT_KEY + win.location.pathname;
  const stored = (use) => {
    try {
      return use(win.localStorage);
    } catch {
      return null;
    }
  };
  let chosen = stored((storage) => storage.getItem(name)) ?? "ring";
  return {
    get: () => chosen,
    set(shape) {
      chosen = shape;
      stored((storage) => (shape === "ring" ? storage.removeItem(name) : storage.setItem(name, shape)));
    },
  };
}

/** Keep class light or dark on `root` by what its background really is. Returns a function that stops it. */
export function watchTheme(root, given, changed) {
  const doc = root.ownerDocument;
  const win = doc.defaultView;
  function apply() {
    root.classList.remove("light", "dark");
    const background = win.getComputedStyle(root).backgroundColor;
    const unknown = !background || background === "transparent" || background === "rgba(0, 0, 0, 0)";
    const theme = given ?? (unknown ? null : luminanceOf(background) < 0.25 ? "dark" : "light");
    if (theme) root.classList.add(theme);
    changed();
  }
  apply();
  const observer = new win.MutationObserver(apply);
  for (const element of [doc.documentElement, doc.body]) {
    observer.observe(element, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name"] });
  }
  const query = win.matchMedia?.("(prefers-color-scheme: dark)");
  query?.addEventListener?.("change", apply);
  // before the root stands in the page, and until the style sheet has come, it has no background to judge by
  const shown = win.ResizeObserver && new win.ResizeObserver(apply);
  shown?.observe(root);
  return () => {
    observer.disconnect();
    shown?.disconnect();
    query?.removeEventListener?.("change", apply);
  };
}

/** Report {mode, width} in design pixels whenever the room changes. */
export function watchRoom(root, changed) {
  const win = root.ownerDocument.defaultView;
  function measure() {
    const font = parseFloat(win.getComputedStyle(root).fontSize) || DESIGN_FONT_PX;
    const width = root.clientWidth || 1198;
    changed({ mode: layoutMode(width / font), width: width * (DESIGN_FONT_PX / font) });
  }
  measure();
  if (!win.ResizeObserver) return () => {};
  const observer = new win.ResizeObserver(measure);
  observer.observe(root);
  return () => observer.disconnect();
}

/** Whether the widget can be seen: on screen, in a visible tab. `woke` is called when it comes back. */
export function watchVisible(root, woke) {
  const doc = root.ownerDocument;
  const win = doc.defaultView;
  let onScreen = true;
  const seen = () => onScreen && doc.visibilityState !== "hidden";
  const wake = () => seen() && woke();
  doc.addEventListener("visibilitychange", wake);
  const observer = win.IntersectionObserver && new win.IntersectionObserver(([entry]) => {
    onScreen = entry.isIntersecting;
    wake();
  });
  observer?.observe(root);
  return {
    seen,
    destroy() {
      doc.removeEventListener("visibilitychange", wake);
      observer?.disconnect();
    },
  };
}

/** One lab plays at a time in a document. Each widget has a module of its own, so they talk through the document. */
export function onePlays(root, pause) {
  const doc = root.ownerDocument;
  const heard = (event) => event.target !== root && pause();
  doc.addEventListener(PLAY_EVENT, heard);
  return {
    announce: () => root.dispatchEvent(new doc.defaultView.CustomEvent(PLAY_EVENT, { bubbles: true })),
    destroy: () => doc.removeEventListener(PLAY_EVENT, heard),
  };
}

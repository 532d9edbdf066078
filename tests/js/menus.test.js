// Menus of thousands: what a page holds of them, and that nothing can be noticed of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { JSDOM } from "jsdom";
import { chooseIn, menuOf } from "../../dslab/widgets/static/format.js";

const { window } = new JSDOM("<!doctype html><body></body>");
const { document } = window;
const choices = (count) => [["", "anybody"], ...Array.from({ length: count }, (_, i) => [`n${i + 1}`])];
const texts = (menu) => [...menu.options].map((option) => option.text);

test("a short menu has all its options, and a value is its own text where there is no other", () => {
  const menu = menuOf(document, { "aria-label": "Node" }, choices(3));
  assert.deepEqual(texts(menu), ["anybody", "n1", "n2", "n3"]);
  assert.deepEqual([menu.value, menu.getAttribute("aria-label")], ["", "Node"]);
});

test("a long menu is filled while it is used, and keeps what was chosen", () => {
  for (const use of ["focus", "pointerdown"]) {
    const menu = menuOf(document, {}, choices(8000));
    document.body.replaceChildren(menu);
    assert.deepEqual(texts(menu), ["anybody"]);
    menu.dispatchEvent(new window.Event(use));
    assert.equal(menu.options.length, 8001);
    assert.equal(menu.value, "");
    menu.value = "n7000";
    menu.dispatchEvent(new window.Event("focus"));
    assert.equal(menu.value, "n7000");
    menu.dispatchEvent(new window.Event("blur"));
    assert.deepEqual([menu.value, texts(menu)], ["n7000", ["anybody", "n7000"]]);
    menu.dispatchEvent(new window.Event(use));
    assert.deepEqual([menu.value, menu.options.length], ["n7000", 8001]);
  }
});

test("a program chooses in a menu that nobody has used, and the choice stays when it is used", () => {
  const menu = menuOf(document, {}, choices(8000));
  chooseIn(menu, "n42");
  chooseIn(menu, "n42");
  assert.deepEqual([menu.value, texts(menu)], ["n42", ["anybody", "n42"]]);
  menu.dispatchEvent(new window.Event("focus"));
  assert.deepEqual([menu.value, menu.options.length], ["n42", 8001]);
  const few = menuOf(document, {}, choices(3));
  chooseIn(few, "n2");
  assert.deepEqual([few.value, few.options.length], ["n2", 4]);
});

// Predict first: the question that keeps the run locked until an answer is recorded, then the answer beside the outcome.
import { h, markup } from "./format.js";

const CONFIDENCE = ["a guess", "fairly sure", "certain"];

export function createPredict(ctx) {
  const { doc, spec } = ctx;
  const { predict } = spec;
  const el = h(doc, "section", { class: "ds-predict", "aria-label": "Prediction", hidden: !predict });
  if (!predict) return { el, update() {}, focus() {} };
  const group = ctx.uid("predict");
  const radios = (name, legend, options, row) => h(doc, "fieldset", { class: row ? "ds-row" : null }, h(doc, "legend", {}, legend),
    options.map(([value, text]) => h(doc, "label", { class: "ds-check" }, h(doc, "input", { type: "radio", name: `${group}-${name}`, value, required: true, disabled: Boolean(ctx.noKernel) }), h(doc, "span", {}, markup(doc, text)))));
  const form = h(doc, "form", { onsubmit: record },
    radios("choice", predict.question, predict.options.map(({ id, text }) => [id, text])),
    radios("sure", "How sure are you?", CONFIDENCE.map((text, i) => [i + 1, text]), true),
    h(doc, "div", { class: "ds-row" }, h(doc, "button", { class: "ds-btn ds-solid", disabled: Boolean(ctx.noKernel) }, "Record prediction"),
      h(doc, "span", { class: "ds-quiet" }, ctx.noKernel ? `Locked: ${ctx.noKernel}.` : "Play unlocks when it is recorded.")));
  const outcome = h(doc, "div", { class: "ds-outcome", hidden: true });
  el.append(form, outcome);
  let shown = "";
  let given = null;

  const picked = (name) => form.querySelector(`input[name="${group}-${name}"]:checked`)?.value ?? null;

  async function record(event) {
    event.preventDefault();
    const answer = { choice: picked("choice"), confidence: Number(picked("sure")) || null };
    if (!answer.choice || !answer.confidence) return;
    given = answer;
    await ctx.command("answer", answer);
    ctx.say("Prediction recorded. Play shows what happens.");
    draw(false);
  }

  function draw(revealed) {
    const answer = ctx.store.answer?.choice ? ctx.store.answer : given;
    const feedback = revealed ? ctx.store.feedback ?? null : null;
    const look = JSON.stringify([answer, feedback]);
    if (look === shown) return;
    shown = look;
    form.hidden = Boolean(answer);
    outcome.hidden = !answer;
    if (!answer) return;
    const text = predict.options.find((option) => option.id === answer.choice)?.text ?? answer.choice;
    outcome.replaceChildren(
      h(doc, "p", {}, h(doc, "b", {}, "Your prediction: "), markup(doc, text), h(doc, "span", { class: "ds-quiet" }, ` (${CONFIDENCE[(answer.confidence ?? 1) - 1]})`)),
      feedback ? h(doc, "p", {}, ctx.icon(feedback.right ? "check" : "cross"), h(doc, "b", {}, feedback.right ? "That is what happened. " : "It went otherwise. "),
        !feedback.right && feedback.answer_text ? [...markup(doc, feedback.answer_text), " "] : "", markup(doc, feedback.text))
        : h(doc, "p", { class: "ds-quiet" }, "Play on to see what happens."));
    if (feedback) ctx.say(`${feedback.right ? "Your prediction was right." : "It went otherwise than you predicted."} ${feedback.text}`);
  }

  return {
    el,
    update: (frame) => draw(frame.time_us >= predict.reveal_us),
    focus: () => el.querySelector("input, button")?.focus(),
  };
}

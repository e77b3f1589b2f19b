function render({ model, el }) {
  const draw = () => { el.innerHTML = model.get("page"); mark(); };
  const mark = () => {
    const chosen = model.get("selected");
    for (const node of el.querySelectorAll("svg .node")) {
      const is = node.dataset.key === chosen;
      node.classList.toggle("selected", is);
      node.setAttribute("tabindex", "0");
      node.setAttribute("role", "button");
      node.setAttribute("aria-pressed", is);
      node.setAttribute("aria-label", node.querySelector("title").textContent);
    }
    for (const entry of el.querySelectorAll("[data-about]")) entry.hidden = entry.dataset.about !== chosen;
    const hint = el.querySelector(".pick");
    if (hint) hint.hidden = !!chosen;
  };
  const choose = (node) => {
    if (!node) return;
    const key = node.dataset.key;
    if (key.startsWith("fold:")) model.set("unfold", key);
    model.set("selected", key);
    model.save_changes();
  };
  el.addEventListener("click", (event) => choose(event.target.closest("svg .node")));
  el.addEventListener("keydown", (event) => {
    const node = event.target.closest("svg .node");
    if (!node || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    choose(node);
  });
  model.on("change:page", draw);
  model.on("change:selected", mark);
  draw();
  return () => { model.off("change:page", draw); model.off("change:selected", mark); };
}
export default { render };

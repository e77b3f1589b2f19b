(() => {
  const root = document.currentScript.closest(".stepper");
  const steps = [...root.querySelectorAll("li")];
  const slider = root.querySelector("input[type=range]"), at = root.querySelector("output"), play = root.querySelector(".play");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  let here = START, timer = 0;
  const go = (to) => {
    here = Math.max(0, Math.min(steps.length - 1, to));
    steps.forEach((step, n) => step.classList.toggle("here", n === here));
    steps[here].querySelector("details").open = true;
    slider.value = here + 1;
    at.textContent = here + 1 + " / " + steps.length;
    root.dataset.step = here + 1;
    slider.setAttribute("aria-valuetext", steps[here].querySelector("summary").textContent);
  };
  const stop = () => { clearInterval(timer); timer = 0; play.textContent = "\u25b6"; play.setAttribute("aria-label", play.dataset.play); };
  const start = () => {
    if (still) return go(here + 1);
    if (here === steps.length - 1) go(0);
    timer = setInterval(() => { if (here === steps.length - 1) stop(); else go(here + 1); }, PACE);
    play.textContent = "\u2016";
    play.setAttribute("aria-label", play.dataset.pause);
  };
  const keys = { ArrowLeft: () => go(here - 1), ArrowRight: () => go(here + 1), Home: () => go(0), End: () => go(steps.length - 1),
    " ": () => timer ? stop() : start() };
  root.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== " ") stop();
    keys[event.key]();
  });
  slider.addEventListener("input", () => { stop(); go(slider.value - 1); });
  for (const button of root.querySelectorAll("button")) button.addEventListener("click", () => {
    const key = button.dataset.key;
    if (key !== " ") stop();
    keys[key]();
  });
  root.classList.add("live");
  go(here);
})();

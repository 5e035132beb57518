// The console's one script. Every page works without it: times are written, forms are sent, and lists load anew every
// half minute. With it times run down, a change appears by itself, and a button that was pressed is not pressed again.
"use strict";

(() => {
  const body = document.body;
  const words = body.dataset;
  const SECOND = 1000;
  const skew = Number(words.now) - Date.now(); // deadlines count by the server's clock
  const RELOAD = 30 * SECOND;
  const address = words.address || location.href; // a page that a form has brought has another than its own

  // Times: the same words as streams/console/times.py.

  function span(length, ofMinutes, ofHours, ofDays) {
    const seconds = Math.floor(length / SECOND);
    const [template, values] =
      seconds < 3600
        ? [ofMinutes, { m: Math.floor(seconds / 60), s: seconds % 60 }]
        : seconds < 86400
          ? [ofHours, { h: Math.floor(seconds / 3600), m: Math.floor((seconds % 3600) / 60) }]
          : [ofDays, { d: Math.floor(seconds / 86400), h: Math.floor((seconds % 86400) / 3600) }];
    return template.replace(/\{(\w)\}/g, (_, name) => values[name]);
  }

  function until(length) {
    return words.left.replace("{time}", span(length, words.minutes, words.hours, words.days));
  }

  function overdue(length) {
    return span(length, words.lateMinutes, words.lateHours, words.lateDays);
  }

  function tick() {
    const now = Date.now() + skew;
    for (const due of document.querySelectorAll(".due[data-at]")) {
      const at = Number(due.dataset.at);
      const level = at <= now ? "late" : Number(due.dataset.soon) <= now ? "soon" : "calm";
      const text = level === "late" ? overdue(now - at) : until(at - now);
      const left = due.querySelector(".left");
      if (left.textContent !== text) left.textContent = text;
      if (due.dataset.level !== level) due.dataset.level = level;
    }
  }

  // Forms: pressed once, checked before they are sent, and known to be begun.

  const begun = new WeakSet();

  function loss(form) {
    const field = form.elements.namedItem("loss");
    if (!field) return;
    const harmed = form.elements.namedItem("outcome").value === "already-harmed";
    const fine = !harmed || /^[0-9]+(\.[0-9]+)?万?$/.test(field.value.replace(/[\s,，¥￥元]/g, ""));
    field.required = harmed;
    field.setCustomValidity(fine ? "" : field.dataset.wrong);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form) return;
    begun.add(form);
    loss(form);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    begun.delete(form);
    // Not `disabled`: the button's own value has to go along.
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.assign(address); // a page out of the browser's memory has forms that were sent
  });

  // Folds: the stations of a sub-bureau, shown when somebody asks for them.

  const unfolded = new Set();

  function fold(button) {
    const shown = unfolded.has(button.id);
    button.setAttribute("aria-expanded", String(shown));
    for (const row of document.querySelectorAll(`[data-fold="${button.id}"]`)) row.hidden = !shown;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".fold");
    if (!button) return;
    if (!unfolded.delete(button.id)) unfolded.add(button.id);
    fold(button);
  });

  // Changes: the parts of the page that can change are fetched anew and put in the place of the old ones.

  const announcer = document.getElementById("announcer");
  const title = document.title;
  let unseen = 0;

  function urgent() {
    return new Set([...document.querySelectorAll("[data-urgent]")].map((order) => order.dataset.urgent));
  }

  function isBegun(part) {
    return [...part.querySelectorAll("form")].some((form) => begun.has(form) || form.dataset.sent);
  }

  function put(part, fresh) {
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...part.querySelectorAll("details[open][id]")].map((details) => details.id);
    const shown = document.importNode(fresh, true);
    part.replaceWith(shown);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    shown.querySelectorAll(".fold").forEach(fold);
    shown.classList.add("fresh");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  async function refresh() {
    const answer = await fetch(address, { headers: { "X-By-Itself": "yes" }, credentials: "same-origin" });
    if (answer.redirected) return location.assign(address); // the session has ended
    if (!answer.ok) return undefined;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = urgent();
    let changed = false;
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || fresh.dataset.live === part.dataset.live) continue;
      changed = true;
      if (isBegun(part)) {
        document.getElementById("stale")?.removeAttribute("hidden");
        continue;
      }
      put(part, fresh);
    }
    tick();
    const added = [...urgent()].filter((order) => !before.has(order));
    if (added.length) alarm(added.length);
    else if (changed) announcer.textContent = words.changed;
    return undefined;
  }

  let asked = 0;
  let last = 0;
  function soon() {
    if (asked) return;
    const wait = Math.max(100, last + SECOND - Date.now()); // a busy city is asked for once a second
    asked = setTimeout(() => {
      asked = 0;
      last = Date.now();
      refresh().catch(() => undefined);
    }, wait);
  }

  let polling = 0;
  let looking = 0;
  function listen() {
    const state = document.getElementById("live");
    if (!state) return;
    const say = (key) => {
      state.textContent = words[key];
      clearInterval(polling);
      polling = key === "liveOn" ? 0 : setInterval(soon, RELOAD);
    };
    if (!words.changes) return say("livePoll");
    const source = new EventSource(words.changes);
    source.addEventListener("open", () => say("liveOn"));
    source.addEventListener("error", () => {
      say("liveOff");
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, RELOAD);
    });
    for (const name of ["case", "forgotten"]) {
      source.addEventListener(name, (event) => {
        if (!words.case || JSON.parse(event.data).case === words.case) soon();
      });
    }
    source.addEventListener("reload", soon);
    if (!words.case && !looking) looking = setInterval(soon, 2 * RELOAD); // no change may also mean no Kafka
    source.addEventListener("sign-in", () => location.assign(address));
    window.addEventListener("pagehide", () => source.close());
    return undefined;
  }

  // An urgent order that is new: in the title, to screen readers, and as a sound for whoever wants one.

  function alarm(count) {
    unseen += count;
    document.title = `(${unseen}) ${words.urgent} – ${title}`;
    announcer.textContent = `${words.urgent}: ${count}`;
    if (sound?.state === "running") beep();
  }

  function seen() {
    unseen = 0;
    document.title = title;
  }

  document.addEventListener("pointerdown", seen);
  document.addEventListener("keydown", seen);

  let sound = null;
  const toggle = document.getElementById("sound");

  function beep() {
    for (const start of [0, 0.25]) {
      const tone = new OscillatorNode(sound, { frequency: 880 });
      const level = new GainNode(sound, { gain: 0.2 });
      tone.connect(level).connect(sound.destination);
      tone.start(sound.currentTime + start);
      tone.stop(sound.currentTime + start + 0.15);
    }
  }

  function tune(isOn) {
    toggle.setAttribute("aria-pressed", String(isOn));
    toggle.textContent = isOn ? toggle.dataset.on : toggle.dataset.off;
    if (isOn && !sound) sound = new AudioContext();
    if (sound) sound[isOn ? "resume" : "suspend"]();
  }

  if (toggle) {
    const wanted = localStorage.getItem("sound") === "on";
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const isOn = toggle.getAttribute("aria-pressed") !== "true";
      localStorage.setItem("sound", isOn ? "on" : "off");
      tune(isOn);
      if (isOn) beep();
    });
    // Browsers let a page sound only after somebody has touched it.
    if (wanted) document.addEventListener("pointerdown", (event) => event.target !== toggle && tune(true), { once: true });
    toggle.textContent = toggle.dataset.off;
  }

  document.querySelectorAll(".fold").forEach(fold);
  document.querySelectorAll("form").forEach(loss);
  document.getElementById("show-stale")?.addEventListener("click", () => location.assign(address));
  document.querySelector(".wrong")?.focus();
  tick();
  setInterval(tick, SECOND);
  listen();
})();

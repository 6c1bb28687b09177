// The design system's script: theme, keyboard, copying, dialogs. Pages work without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const listeners = [];

  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const tell = () => listeners.forEach((fn) => fn(dark() ? "dark" : "light"));

  // The choice is a cookie, so that the server renders the right theme and nothing flashes.
  const switchTheme = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    document.cookie = `alcaide_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    tell();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (!root.dataset.theme) tell(); });

  window.alcaide = {
    // The value of a token in the current theme as rgb(): what canvas libraries understand.
    color(token) {
      const probe = document.createElement("span");
      probe.style.color = `var(${token})`;
      probe.hidden = true;
      document.body.append(probe);
      const value = getComputedStyle(probe).color;
      probe.remove();
      return value;
    },
    onTheme(fn) { listeners.push(fn); },
    data(id) { return JSON.parse(document.getElementById(id).textContent); },
  };

  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers offer no clipboard to pages served over plain HTTP; selecting and copying still works there.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const title = button.title;
    button.classList.add("done");
    button.title = "Copied";
    say("copied");
    setTimeout(() => { button.classList.remove("done"); button.title = title; }, 1500);
  };

  const say = (text) => {
    let place = document.getElementById("spoken");
    if (!place) {
      place = document.createElement("div");
      place.id = "spoken";
      place.className = "visually-hidden";
      place.setAttribute("role", "status");
      document.body.append(place);
    }
    place.textContent = "";
    requestAnimationFrame(() => { place.textContent = text; });
  };

  // Current browsers do this themselves, without a script; older ones are helped.
  const command = (button) => {
    if ("commandForElement" in button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "close") dialog.close();
    else openDialog(dialog.id);
  };

  const openDialog = (id) => {
    const dialog = document.getElementById(id);
    if (dialog && !dialog.open) dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    let hit;
    if (at("[data-theme-toggle]")) switchTheme();
    else if ((hit = at("[data-copy]"))) { event.preventDefault(); copy(hit); }
    else if ((hit = at("[commandfor]"))) command(hit);
    else if ((hit = at("[data-dismiss]"))) hit.closest(".flash").remove();
    else if (event.target instanceof HTMLDialogElement) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
  });

  // A second click on a slow form must not send it twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented || form.target) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

  const keysOff = () => { try { return localStorage.getItem("alcaide-keys") === "off"; } catch { return false; } };
  const keysBox = document.querySelector("[data-keys]");
  if (keysBox) {
    keysBox.checked = !keysOff();
    keysBox.addEventListener("change", () => { try { localStorage.setItem("alcaide-keys", keysBox.checked ? "on" : "off"); } catch { /* kept for this page only */ } });
  }

  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
      return;
    }
    const typing = event.target.matches("input, textarea, select, [contenteditable]");
    if (keysOff() || typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (Date.now() - going < 1200) {
      going = 0;
      const link = [...document.querySelectorAll(".nav a[data-key]")].find((a) => a.dataset.key === event.key);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (event.key === "/") {
      const field = document.querySelector("main input[type=search]") || document.querySelector("[data-search]");
      if (!field) return;
      event.preventDefault();
      const drawer = field.closest("[popover]");
      if (drawer && !field.checkVisibility()) drawer.showPopover();
      field.focus();
      field.select();
    } else if (event.key === "?") openDialog("shortcuts");
    else if (event.key === "t") switchTheme();
    else if (event.key === "g") going = Date.now();
  });

  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf-token]").content;
  });
  document.addEventListener("htmx:sendError", () => say("the server does not answer; try again"));
})();

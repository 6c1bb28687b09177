// Says how a password is coming along while it is typed. The server decides; this only saves a round trip.
for (const input of document.querySelectorAll("[data-password]")) {
  const says = input.closest("form").querySelector("[data-password-says]");
  if (!says) continue;
  input.addEventListener("input", () => {
    const value = input.value;
    const different = new Set(value.toLowerCase()).size;
    const missing = 12 - [...value].length;
    let text = "";
    if (!value) text = "";
    else if (missing > 0) text = missing === 1 ? "One more character." : `${missing} more characters.`;
    else if (different < 6) text = "Too few different characters.";
    else if (value.length >= 20 && different >= 10) text = "Strong, if the words have nothing to do with you or with each other.";
    else text = "Long enough. Longer is better.";
    says.textContent = text;
  });
}

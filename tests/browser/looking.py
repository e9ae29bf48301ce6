"""Looking at a page as different people meet it: by keyboard, by screen reader, small, large, without motion,
without colours, without script. Each function gives what is wrong, in words; an empty list is good.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

ROOT = Path(__file__).parents[2]
WIDTHS = (1100, 720, 320)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
LEAST_TARGET = 24
"""CSS pixels, WCAG 2.2, 2.5.8."""

_HELPERS = """
const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length > 0;
const said = (one) => {
  const html = one.cloneNode(false).outerHTML.slice(0, 110);
  return `${html} ${(one.innerText || "").trim().slice(0, 40)}`.trim();
};
const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, audio, video, iframe";
const hiddenAway = (one) => one.closest(".visually-hidden, .skip") !== null;
"""

_PLAIN = """
const wrong = [];
const headings = [...document.querySelectorAll("h1")].filter(shown);
if (headings.length !== 1) wrong.push(`${headings.length} headings of the first level`);
const all = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown);
const words = all.map((one) => `${one.tagName} ${one.innerText.trim()}`);
for (const word of new Set(words)) {
  if (word.startsWith("H1") || word.startsWith("H2")) {
    if (words.filter((each) => each === word).length > 1) wrong.push(`twice: ${word}`);
  }
}
if (document.title.trim().length < 3) wrong.push("no title");
if (!document.documentElement.lang) wrong.push("no language");
for (const one of document.querySelectorAll("[tabindex]")) {
  if (one.tabIndex > 0) wrong.push(`positive tabindex: ${said(one)}`);
}
for (const one of document.querySelectorAll(LIVE)) {
  const aloud = one.closest("[role=status], [role=alert], [aria-live]");
  if (!aloud) wrong.push(`says nothing aloud: ${said(one)}`);
}
for (const form of document.querySelectorAll("form")) {
  if (!form.querySelector("button:not([type=button]), input[type=submit]")) {
    wrong.push(`a form without a button: ${said(form)}`);
  }
}
for (const link of document.querySelectorAll("a[href]")) {
  if (/^(#|javascript:)/.test(link.getAttribute("href")) && link.getAttribute("href").length < 2) {
    wrong.push(`a link to nowhere: ${said(link)}`);
  }
}
return wrong;
"""
_LIVE = '"[data-saved], [data-load], [data-progress], #review-saved, [data-standing-live]"'

_TOO_WIDE = """
if (document.documentElement.scrollWidth <= innerWidth) return [];
const out = [...document.querySelectorAll("body *")].filter(
  (one) => shown(one) && one.getBoundingClientRect().right > innerWidth + 1);
return [`wider than the window: ${said(out.at(-1) || document.body)}`];
"""

_TOO_SMALL = """
const wrong = [];
for (const one of document.querySelectorAll(CONTROLS)) {
  if (!shown(one) || hiddenAway(one)) continue;
  const boxes = [one, ...(one.labels || [])].filter(shown).map((each) => each.getBoundingClientRect());
  const wide = Math.max(...boxes.map((box) => box.width)), high = Math.max(...boxes.map((box) => box.height));
  if (wide >= LEAST - 0.5 && high >= LEAST - 0.5) continue;
  const around = one.parentElement;
  const inText = getComputedStyle(one).display === "inline"
    && around.innerText.trim().length > one.innerText.trim().length + 1;
  if (!inText) wrong.push(`${Math.round(wide)} by ${Math.round(high)} px: ${said(one)}`);
}
return wrong;
"""

_CLIPPED = """
const wrong = [];
for (const one of document.querySelectorAll("body *")) {
  if (!shown(one) || hiddenAway(one) || one.closest(".visually-hidden, svg, iframe, .label, .st")) continue;
  const style = getComputedStyle(one);
  if (style.position === "absolute" && one.offsetWidth <= 1) continue;
  const cutX = /hidden|clip/.test(style.overflowX) && one.scrollWidth > one.clientWidth + 2;
  const cutY = /hidden|clip/.test(style.overflowY) && one.scrollHeight > one.clientHeight + 2;
  if ((cutX || cutY) && (one.innerText || "").trim()) wrong.push(`cut off: ${said(one)}`);
}
return wrong;
"""

_SPACED = """
for (const one of document.querySelectorAll("body, body *")) {
  one.style.lineHeight = "1.5";
  one.style.letterSpacing = "0.12em";
  one.style.wordSpacing = "0.16em";
}
"""

_MOVES = """
const wrong = [];
for (const one of document.querySelectorAll("body, body *")) {
  const style = getComputedStyle(one);
  const moves = style.transitionDuration.split(",").some((time) => parseFloat(time) > 0.001);
  if (moves || style.animationName !== "none") wrong.push(`moves: ${said(one)}`);
}
if (getComputedStyle(document.documentElement).scrollBehavior === "smooth") wrong.push("scrolls smoothly");
return wrong.slice(0, 5);
"""

_SHAPELESS = """
const wrong = [];
for (const one of document.querySelectorAll(".btn, input:not([type=hidden]), select, textarea")) {
  if (!shown(one) || hiddenAway(one)) continue;
  const style = getComputedStyle(one);
  const edge = parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none";
  if (!edge && !style.textDecorationLine.includes("underline") && style.appearance === "none") {
    wrong.push(`no edge in forced colours: ${said(one)}`);
  }
}
return wrong;
"""

_NEED_SCRIPT = """
return [...document.querySelectorAll("button[type=button]")]
  .filter((one) => shown(one) && !one.disabled).map((one) => `only works with script: ${said(one)}`);
"""

_STOPS = """
window.stops = [...document.querySelectorAll(CONTROLS)].filter((one) => {
  if (!shown(one) || one.disabled || one.tabIndex < 0 || one.matches("audio, video, iframe")) return false;
  if (one.type !== "radio") return true;
  const group = [...document.querySelectorAll("input[type=radio]")].filter(
    (each) => each.name === one.name && each.form === one.form && shown(each) && !each.disabled);
  return (group.find((each) => each.checked) || group[0]) === one;
});
window.met = new Set();
document.activeElement.blur();
scrollTo(0, 0);
const every = [...document.querySelectorAll(CONTROLS)];
return stops.map((one) => every.indexOf(one));
"""

_MEET = """
const one = document.activeElement;
if (!one || one === document.body) return { end: true, wrong: [] };
const wrong = [], known = met.has(one);
met.add(one);
if (!known && one.matches(CONTROLS) && !one.matches("audio, video, iframe")) {
  const marked = [one, ...(one.labels || []), one.closest("label")].filter(Boolean).some((each) => {
    const style = getComputedStyle(each);
    return parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none";
  });
  if (!marked) wrong.push(`focus is not seen: ${said(one)}`);
  const box = one.getBoundingClientRect();
  if (box.bottom < 0 || box.top > innerHeight) wrong.push(`focus is out of sight: ${said(one)}`);
}
// Parts of one control (a date, a player, a frame) are several stops of Tab.
const again = known && one !== window.before;
window.before = one;
return { end: again, wrong };
"""

_MISSED = """
return stops.filter((one) => !met.has(one) && one.isConnected)
  .map((one) => `Tab does not come to: ${said(one)}`);
"""


def ask(page: Page | Frame, script: str, **constants: object) -> Any:
    """Run a script of this file in the page; constants are put in front of it."""
    said = "".join(f"const {name} = {value};" for name, value in constants.items())
    return page.evaluate(f"() => {{ {_HELPERS} {said} {script} }}")


def open_folds(page: Page | Frame) -> None:
    """Open whatever is folded: what is in there must be good too."""
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")


def problems(page: Page | Frame, rules: Sequence[str] = RULES) -> list[str]:
    """What axe-core finds on the page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(
        "async (rules) => (await axe.run(document, { runOnly: rules })).violations"
        ".map((one) => `${one.id}: ${one.nodes[0].html}`)",
        list(rules),
    )
    return found


def plain_faults(page: Page) -> list[str]:
    """One main heading, a title, a language, status messages that are said aloud, forms that can be sent."""
    found: list[str] = ask(page, _PLAIN, LIVE=_LIVE)
    return found


def size_faults(page: Page, width: int) -> list[str]:
    """At this width: scrolling sideways, and targets that a finger misses."""
    page.set_viewport_size({"width": width, "height": 800})
    found: list[str] = [*ask(page, _TOO_WIDE), *ask(page, _TOO_SMALL, LEAST=LEAST_TARGET)]
    return found


def motion_faults(page: Page) -> list[str]:
    """What still moves for somebody who asked for less motion."""
    found: list[str] = ask(page, _MOVES)
    return found


def colour_faults(page: Page) -> list[str]:
    """Controls without a shape where the system chooses the colours."""
    page.emulate_media(forced_colors="active")
    found: list[str] = ask(page, _SHAPELESS)
    page.emulate_media(forced_colors="none")
    return found


def zoom_faults(page: Page) -> list[str]:
    """Text at 200 % at 1100 px, and text spacing (WCAG 1.4.12) at 320 px: what is cut off or too wide."""
    page.set_viewport_size({"width": 1100, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found = [f"at 200 %: {one}" for one in [*ask(page, _TOO_WIDE), *ask(page, _CLIPPED)]]
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 320, "height": 800})
    ask(page, _SPACED)
    found += [f"with text spacing: {one}" for one in [*ask(page, _TOO_WIDE), *ask(page, _CLIPPED)]]
    return found


def keyboard_faults(page: Page, widths: Sequence[int] = (1100, 320)) -> list[str]:
    """What Tab does not come to, and where its focus cannot be seen; at each width that shows others."""
    found: list[str] = []
    walked: list[list[int]] = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        stops: list[int] = ask(page, _STOPS)
        if stops in walked:
            continue
        walked.append(stops)
        for _ in range(3 * len(stops) + 20):
            page.keyboard.press("Tab")
            answer = ask(page, _MEET)
            found += [f"{width}: {fault}" for fault in answer["wrong"]]
            if answer["end"]:
                break
        found += [f"{width}: {fault}" for fault in ask(page, _MISSED)]
    return found


def script_faults(page: Page) -> list[str]:
    """Buttons that a page without script shows and that do nothing there."""
    found: list[str] = ask(page, _NEED_SCRIPT)
    return found

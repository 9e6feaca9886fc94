/**
 * How the report looks. No `<` or `&` in it, so that the page stays well-formed.
 * The colors of the arms follow Okabe and Ito's order for color-blind readers, made darker on a light background
 * and lighter on a dark one until each has a contrast of at least 3 to 1; arms differ by marker as well.
 */
export const styleSheet = `
:root {
  color-scheme: light dark;
  --ground: #fdfdfb; --raised: #ffffff; --ink: #1e2529; --soft: #5d6970; --line: #e3e5e0; --grid: #ecede8;
  --good: #2c6e49; --bad: #b3261e; --leaf: #4f8a5b; --wood: #6b5a48;
  --a0: #0b6cb0; --a1: #c8510a; --a2: #00805e; --a3: #a84a86; --a4: #8f6a00; --a5: #3a7fa8; --a6: #5b5bb0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181a; --raised: #1a1f22; --ink: #e6e9e7; --soft: #9aa6a9; --line: #2d3438; --grid: #252b2f;
    --good: #7cc79a; --bad: #ff8a80; --leaf: #7fbf8a; --wood: #a8957e;
    --a0: #62b5f5; --a1: #ff9a5c; --a2: #43c99d; --a3: #e59aca; --a4: #e3b94f; --a5: #93d3f2; --a6: #a9a9f5;
  }
}
.arm-0 { --accent: var(--a0); } .arm-1 { --accent: var(--a1); } .arm-2 { --accent: var(--a2); }
.arm-3 { --accent: var(--a3); } .arm-4 { --accent: var(--a4); } .arm-5 { --accent: var(--a5); }
.arm-6 { --accent: var(--a6); }
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 48px 28px 64px; max-width: 1136px; background: var(--ground); color: var(--ink);
  font: 15px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
header { display: flex; gap: 18px; align-items: center; margin-bottom: 40px; }
header h1 { margin: 0; font-size: 27px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
header p { margin: 2px 0 0; color: var(--soft); font-size: 14px; }
.emblem { width: 52px; height: 52px; flex: none; fill: none; stroke-linecap: round; }
.emblem .frame { stroke: var(--line); stroke-width: 1.2; }
.emblem .tree { stroke: var(--wood); stroke-width: 1.8; }
.emblem .leaf { fill: var(--leaf); }
section { margin: 0 0 56px; }
h2 { margin: 0 0 16px; font-size: 18px; font-weight: 650; letter-spacing: -0.005em; }
h3 { margin: 24px 0 10px; font-size: 15px; font-weight: 600; display: flex; align-items: center; gap: 8px; }
.name { overflow-wrap: anywhere; }
.prose { max-width: 76ch; }
.prose p { margin: 0 0 10px; }
.note, .empty { color: var(--soft); font-size: 13.5px; max-width: 82ch; margin: 10px 0; }
.good { color: var(--good); font-weight: 500; } .bad { color: var(--bad); font-weight: 650; }
.none { color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 20px; margin-top: 24px; }
.card { background: var(--raised); border: 1px solid var(--line); border-top: 3px solid var(--accent); border-radius: 8px; padding: 18px 22px 14px; }
.card h3 { margin: 0 0 12px; }
.headline { display: flex; flex-wrap: wrap; gap: 12px 40px; margin-bottom: 14px; }
.headline b { display: block; font-size: 28px; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; }
.headline span { color: var(--soft); font-size: 13px; }
dl { margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 0 24px; }
dl div { padding: 7px 0 6px; border-top: 1px solid var(--line); }
dt { color: var(--soft); font-size: 12.5px; line-height: 1.3; } dd { margin: 0; }
.bar { display: flex; flex-wrap: wrap; gap: 12px 28px; justify-content: space-between; align-items: center; margin-bottom: 14px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0; padding: 0; font-size: 13.5px; }
.legend li { display: flex; align-items: center; gap: 8px; min-width: 0; }
.badge { width: 28px; height: 14px; flex: none; } th .badge { vertical-align: -2px; margin-right: 4px; } .badge.narrow { width: 10px; }
.switch { display: flex; align-items: center; gap: 2px; font-size: 13.5px; }
.switch span { color: var(--soft); margin-right: 6px; }
.switch label { padding: 3px 12px; border-radius: 999px; border: 1px solid transparent; cursor: pointer; color: var(--soft); }
.switch label:hover { color: var(--ink); }
.switch-input { position: absolute; opacity: 0; width: 1px; height: 1px; margin: 0; pointer-events: none; }
#x-steps:checked ~ .bar label[for="x-steps"], #x-flops:checked ~ .bar label[for="x-flops"],
#x-seconds:checked ~ .bar label[for="x-seconds"] { border-color: var(--line); background: var(--raised); color: var(--ink); font-weight: 600; }
#x-steps:focus-visible ~ .bar label[for="x-steps"], #x-flops:focus-visible ~ .bar label[for="x-flops"],
#x-seconds:focus-visible ~ .bar label[for="x-seconds"] { outline: 2px solid var(--a0); outline-offset: 1px; }
.curves .panels { display: none; }
#x-steps:checked ~ .on-steps, #x-flops:checked ~ .on-flops, #x-seconds:checked ~ .on-seconds { display: grid; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 28px 36px; margin-bottom: 14px; }
figure { margin: 0; min-width: 0; }
figcaption { font-weight: 600; font-size: 14px; margin-bottom: 6px; display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; }
figcaption .badge + .name { max-width: calc(100% - 40px); }
figcaption small { color: var(--soft); font-weight: 400; font-size: 13px; }
figcaption .good, figcaption .bad { font-size: 13px; margin-left: auto; }
.layers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 340px)); gap: 20px 30px; margin-bottom: 12px; }
.scroll { overflow-x: auto; }
.chart { display: block; width: 100%; height: auto; overflow: visible; font-size: 12px; fill: var(--soft); }
.panels .chart { min-width: 420px; }
.grid path { stroke: var(--grid); } .base { stroke: var(--line); }
.ticks path { stroke: var(--line); }
.axis-label { fill: var(--soft); }
.line { fill: none; stroke: var(--accent, var(--soft)); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line.faint { stroke-width: 1.4; opacity: 0.42; }
.line.dotted { stroke-dasharray: 1 4.5; }
.band { fill: var(--accent); opacity: 0.14; }
.dot { fill: var(--accent); opacity: 0.45; }
.interval { stroke: var(--accent); stroke-width: 3; stroke-linecap: round; }
.one { stroke: var(--soft); stroke-dasharray: 3 3; }
.name-label { fill: var(--ink); font-size: 13px; }
.marker { fill: var(--accent); stroke: var(--ground); stroke-width: 1.5; }
.rule path { stroke: var(--accent, var(--soft)); stroke-dasharray: 3 3; opacity: 0.75; }
.rule text { fill: var(--accent); font-size: 11.5px; }
.end-label { fill: var(--accent); }
table { border-collapse: collapse; font-size: 13.5px; width: 100%; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { color: var(--soft); font-size: 12.5px; vertical-align: bottom; }
th[title] { cursor: help; }
.text { text-align: left; } tbody th.text { white-space: normal; max-width: 30ch; overflow-wrap: break-word; font-weight: 600; }
tr > :first-child { padding-left: 0; } tr > :last-child { padding-right: 0; }
section > .scroll + .scroll { margin-top: 18px; }
tbody tr.chosen > * { font-weight: 600; }
.group th { text-align: left; padding-top: 14px; } .group .badge { vertical-align: -2px; margin-right: 8px; }
.group .name { font-weight: 600; white-space: normal; }
.growths th, .growths td { padding-left: 5px; padding-right: 5px; font-size: 13px; }
.growths thead th { white-space: normal; font-size: 12px; line-height: 1.3; }
.decisions tbody .text { white-space: normal; }
.decisions tbody th.text { min-width: 15ch; }
.decisions tbody .why { width: 60%; }
.configuration { width: auto; min-width: min(100%, 420px); }
.configuration th, .configuration td { white-space: normal; overflow-wrap: anywhere; }
.configuration tbody th { font-weight: 400; color: var(--soft); padding-right: 40px; }
.troubles { margin: 10px 0; padding-left: 18px; font-size: 13.5px; overflow-wrap: anywhere; }
details { margin-top: 10px; font-size: 13.5px; } details table { margin-top: 8px; }
summary { cursor: pointer; color: var(--soft); } summary:hover { color: var(--ink); }
pre { font-size: 12.5px; }
footer { color: var(--soft); font-size: 13px; border-top: 1px solid var(--line); padding-top: 16px; }
@media (max-width: 560px) { body { padding: 28px 16px 40px; } header { margin-bottom: 28px; } section { margin-bottom: 40px; } }
@media print {
  :root {
    color-scheme: light;
    --ground: #fff; --raised: #fff; --ink: #000; --soft: #444; --line: #ccc; --grid: #e6e6e6;
    --good: #1f5235; --bad: #9c1c15; --leaf: #4f8a5b; --wood: #6b5a48;
    --a0: #0b6cb0; --a1: #c8510a; --a2: #00805e; --a3: #a84a86; --a4: #8f6a00; --a5: #3a7fa8; --a6: #5b5bb0;
  }
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  section { margin-bottom: 28px; }
  .switch, details { display: none; }
  .curves .panels, .panels { display: grid; grid-template-columns: 1fr 1fr; gap: 14px 20px; }
  .curves .panels.single { grid-template-columns: 1fr; }
  .panels .chart { min-width: 0; }
  .growths th, .growths td { font-size: 7pt; padding: 3px 3px; }
  .cards { grid-template-columns: 1fr 1fr; }
  figure, .card, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`;

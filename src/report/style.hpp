#pragma once

#include <string_view>

namespace liven::report {

/// Colours as custom properties: charts name them and so follow the page. --c1 to --c7 are Okabe and Ito's, which
/// colour-blind eyes keep apart; in the dark some are lightened.
inline constexpr std::string_view kStyle = R"(
:root { --back: #ffffff; --text: #1b1f24; --soft: #5c6670; --line: #dfe3e8; --panel: #f6f8fa; --warn: #8a4b00;
  --c1: #0072b2; --c2: #d55e00; --c3: #009e73; --c4: #cc79a7; --c5: #8c6d1f; --c6: #56b4e9; --c7: #5b5f66; }
@media screen and (prefers-color-scheme: dark) {
  :root { --back: #14171b; --text: #e7eaee; --soft: #9aa4af; --line: #2d333b; --panel: #1c2127; --warn: #ffb454;
    --c1: #4aa8e0; --c2: #ff8a3d; --c3: #2fc89a; --c4: #e59cc4; --c5: #d9b44a; --c6: #8fd0f5; --c7: #a3a9b2; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1.2rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
.subtitle, figcaption, caption { color: var(--soft); font-size: .9rem; } caption { text-align: left; padding: .2rem 0; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .8rem 0; font-size: .9rem; } a { color: var(--c1); }
.note { border-left: 3px solid var(--warn); background: var(--panel); padding: .5rem .8rem; }
figure { margin: .8rem 0; } .side { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1rem; }
svg.chart { width: 100%; max-width: 760px; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: var(--text); } svg.chart .title { font-weight: 600; font-size: 13px; } svg.chart .soft { fill: var(--soft); }
svg.chart .grid { stroke: var(--line); } svg.chart .axis { stroke: var(--soft); } svg.chart .error { stroke: var(--text); stroke-width: 1.4; }
svg.chart line.rule { stroke: var(--soft); stroke-dasharray: 3 3; } svg.chart text.rule { fill: var(--soft); }
svg.chart .hover { fill: transparent; } svg.chart .hover:hover { fill: var(--text); fill-opacity: .35; }
svg.chart text.on-dark { fill: var(--back); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; } th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } img { max-width: 100%; height: auto; }
pre { background: var(--panel); padding: .6rem .8rem; overflow-x: auto; font-size: .85rem; } summary { cursor: pointer; margin: .6rem 0; }
@media screen and (max-width: 600px) { svg.chart { font-size: 15px; } svg.chart .title { font-size: 16px; } }
@media print { body { max-width: none; } nav { display: none; } figure, table { break-inside: avoid; } }
)";

}  // namespace liven::report

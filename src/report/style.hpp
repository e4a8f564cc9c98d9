#pragma once

#include <string_view>

namespace liven::report {

/// Colours as custom properties: charts name them and so follow the page. --c1 to --c7 are Okabe and Ito's, which
/// colour-blind eyes keep apart; in the dark some are lightened. Charts are as wide as they were drawn where there is
/// room; where there is little, their letters grow.
inline constexpr std::string_view kStyle = R"(
:root { --back: #ffffff; --text: #1b1f24; --soft: #5c6670; --line: #dfe3e8; --panel: #f6f8fa; --warn: #8a4b00;
  --c1: #0072b2; --c2: #d55e00; --c3: #009e73; --c4: #cc79a7; --c5: #8c6d1f; --c6: #56b4e9; --c7: #5b5f66; }
@media screen and (prefers-color-scheme: dark) {
  :root { --back: #14171b; --text: #e7eaee; --soft: #9aa4af; --line: #2d333b; --panel: #1c2127; --warn: #ffb454;
    --c1: #4aa8e0; --c2: #ff8a3d; --c3: #2fc89a; --c4: #e59cc4; --c5: #d9b44a; --c6: #8fd0f5; --c7: #a3a9b2; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1272px; padding: 1.2rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
p, figcaption { max-width: 56rem; } .subtitle, figcaption, caption { color: var(--soft); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .8rem 0; font-size: .9rem; } a { color: var(--c1); }
.note { border-left: 3px solid var(--warn); background: var(--panel); padding: .5rem .8rem; }
figure { margin: .8rem 0; max-width: 100%; } .side { display: flex; flex-wrap: wrap; gap: 0 2rem; }
svg.chart { max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg.chart text { fill: var(--text); } svg.chart .title { font-weight: 600; font-size: 13px; } svg.chart .soft { fill: var(--soft); }
svg.chart .label { font-weight: 600; }
svg.chart .soft, svg.chart .rule, svg.chart .label { paint-order: stroke; }
svg.chart text.soft, svg.chart text.rule, svg.chart text.label { stroke: var(--back); stroke-width: 3px; stroke-linejoin: round; }
svg.chart .grid { stroke: var(--line); } svg.chart .axis { stroke: var(--soft); } svg.chart .error { stroke: var(--text); stroke-width: 1.4; }
svg.chart line.rule { stroke: var(--soft); stroke-dasharray: 3 3; } svg.chart text.rule { fill: var(--soft); }
svg.chart .hover { fill: transparent; } svg.chart .hover:hover { fill: var(--text); fill-opacity: .35; }
.wide { overflow-x: auto; margin: .8rem 0; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { vertical-align: bottom; } .quoted td { color: var(--soft); font-style: italic; } td { vertical-align: top; } .words { white-space: normal; min-width: 13rem; text-align: left; }
th:first-child, td:first-child { text-align: left; } caption { caption-side: bottom; text-align: left; padding: .3rem 0; }
img { max-width: 100%; height: auto; display: block; }
pre { background: var(--panel); padding: .6rem .8rem; overflow-x: auto; font-size: .85rem; } summary { cursor: pointer; margin: .6rem 0; }
@media screen and (max-width: 600px) { svg.chart { font-size: 15px; } svg.chart .title { font-size: 15px; }
  .wide img { max-width: none; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  h2 { break-after: avoid; } figure, tr, img { break-inside: avoid; } .side svg.chart { max-width: 330px; font-size: 14px; }
  .wide { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; white-space: normal; overflow-wrap: normal; }
  .words { min-width: 0; } pre { white-space: pre-wrap; padding: 0; } details pre { columns: 3; font-size: 7pt; }
  details::details-content { content-visibility: visible; block-size: auto; } }
)";

}  // namespace liven::report

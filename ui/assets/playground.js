/* Entry of the Playground's scripts: each draws one kind of component. */

import { paintCompareBar } from "./compare.js";
import { keepDraft } from "./draft.js";
import { paintOffers } from "./offers.js";
import { paintCounter, paintExamples, paintProblems, paintPromptNote, paintSnap, takeOutlook } from "./form.js";
import { paintEstimate } from "./estimate.js";
import { paintReferences } from "./references.js";
import { paintResults } from "./results.js";
import { paintStrip } from "./strip.js";
import { paintSweep, takeSweepTime } from "./sweep.js";
import { paintTemplates } from "./templates.js";
import { paintTrouble } from "./trouble.js";
import { paintVariables } from "./variables.js";
import { paintXray } from "./xray.js";

const { component } = window.diptych;
component("strip", paintStrip);
component("outlook", takeOutlook);
component("draft", keepDraft);
component("templates", paintTemplates);
component("trouble", paintTrouble);
component("counter", paintCounter);
component("prompt_note", paintPromptNote);
component("examples", paintExamples);
component("variables", paintVariables);
component("offers", paintOffers);
component("snap", paintSnap);
component("references", paintReferences);
component("sweep", paintSweep);
component("sweep_time", takeSweepTime);
component("estimate", paintEstimate);
component("problems", paintProblems);
component("results", paintResults);
component("compare_bar", paintCompareBar);
component("xray", paintXray);

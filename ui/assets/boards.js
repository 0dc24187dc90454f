/* Arena, Leaderboard, History, Costs and Settings: each file draws the components of one page. */

import "./arena.js";
import "./leaderboard.js";
import "./history.js";
import "./costs.js";
import "./files.js";
import "./settings.js";

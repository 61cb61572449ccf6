// The page /live.
import { mountHeader } from "../common/page.js";
import { LivePage } from "./live-page.js";

mountHeader("live");
new LivePage(document.getElementById("main"));

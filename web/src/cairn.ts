// What every page of the wiki loads. Each feature finds by itself what it is for; without any of them the page works.

import { busy } from "./busy";
import { comparing } from "./compare";
import { copyAnchors, copyButtons } from "./copy";
import { diagrams } from "./diagrams";
import { films } from "./film";
import { glimpses } from "./glimpse";
import { keys } from "./keys";
import { menus } from "./menu";
import { footnotes } from "./note";
import { following } from "./outline";
import { parts } from "./part";
import { scrolling } from "./scroll";
import { ticking } from "./tick";
import { largePictures } from "./zoom";

copyButtons();
copyAnchors();
comparing();
diagrams();
largePictures();
films();
ticking();
menus();
parts();
scrolling();
following();
footnotes();
glimpses();
busy();
keys(); // after those who hear keys of their own

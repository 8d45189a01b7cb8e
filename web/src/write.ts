// What the editor loads besides, and the form that leads to it.

import { attaching } from "./attach";
import { beginning } from "./begin";
import { leaving } from "./leave";
import { linking } from "./linking";

const text = document.querySelector<HTMLTextAreaElement>("textarea[autofocus]");
if (text && document.activeElement === text) text.setSelectionRange(text.value.length, text.value.length);
attaching();
linking();
beginning();
leaving(); // after what may hold a form back

// The typefaces: they come after what they show, since on a poor line they weigh more than all of it.

import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";

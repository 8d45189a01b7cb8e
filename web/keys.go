package web

// Keys is the list of what can be done by keyboard. The scripts show its
// table in a dialog as well; they hear the keys that elements of a page name
// by [pressed] and [inTurn].
type Keys struct{ Frame }

// shortcut is something that can be done by keyboard, one way or several.
type shortcut struct {
	of   string // names it in the templates
	aria string // the value of aria-keyshortcuts
	turn string // keys that are pressed one after the other, which aria-keyshortcuts cannot say
	show [][]string
	does Text
	edit bool // in the editor, where letters are text
}

var shortcuts = [...]shortcut{
	{of: "search", aria: "/ Control+K Meta+K", show: [][]string{{"/"}, {"Ctrl", "K"}}, does: "Search"},
	{of: "edit", aria: "e", show: [][]string{{"e"}}, does: "Edit this page"},
	{of: "new", aria: "n c", show: [][]string{{"n"}, {"c"}}, does: "Begin a new page"},
	{of: "history", aria: "h", show: [][]string{{"h"}}, does: "Show the history of this page"},
	{of: "move", aria: "m", show: [][]string{{"m"}}, does: "Move or rename this page"},
	{of: "home", turn: "g h", show: [][]string{{"g", "h"}}, does: "Go to the home page: first the one, then the other"},
	{of: "side", aria: "[", show: [][]string{{"["}}, does: "Show or hide the side bar"},
	{of: "keys", aria: "?", show: [][]string{{"?"}}, does: "Show these keys"},
	{of: "save", aria: "Control+S Meta+S Control+Enter Meta+Enter", show: [][]string{{"Ctrl", "S"}, {"Ctrl", "Enter"}}, does: "Save", edit: true},
	{of: "link", aria: "Control+K Meta+K", show: [][]string{{"Ctrl", "K"}, {"[", "["}}, does: "Link to a page: begin to write its name, and choose", edit: true},
}

func shortcutOf(of string) shortcut {
	for _, k := range shortcuts {
		if k.of == of {
			return k
		}
	}
	return shortcut{}
}

// pressed is the aria-keyshortcuts of what a key presses.
func pressed(of string) string { return shortcutOf(of).aria }

// inTurn is the same for keys that are pressed one after the other.
func inTurn(of string) string { return shortcutOf(of).turn }

package plan

// MarkdownWithin is Markdown with another limit, in characters.
var MarkdownWithin = (*Outline).markdown

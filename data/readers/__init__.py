"""Read files of many formats into `Document` records: text in light Markdown, date and licence."""

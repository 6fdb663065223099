//! A section of a page, and how figures stand in it.

use std::fmt::Write;

/// A file's path under `docs/` and its content.
pub type File = (String, String);

/// A heading, what stands under it, and the plots that belong to it.
pub struct Section {
    pub text: String,
    pub plots: Vec<File>,
}

impl Section {
    pub fn new(title: &str, introduction: &str) -> Self {
        Self { text: format!("## {title}\n\n{introduction}\n\n"), plots: Vec::new() }
    }

    pub fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        self.text += &line(&head.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        self.text += &line(&vec!["---".to_owned(); head.len()]);
        rows.into_iter().for_each(|row| self.text += &line(&row));
        self.text.push('\n');
    }

    pub fn plot(&mut self, name: &str, title: &str, svg: String) {
        let path = format!("performance/{name}.svg");
        // Writing to a string cannot fail.
        let _ = write!(self.text, "![{title}]({path})\n\n");
        self.plots.push((path, svg));
    }
}

/// Says that a figure is beyond its bound.
pub fn over(beyond: bool) -> &'static str {
    if beyond { " (over)" } else { "" }
}

/// Says that a figure is under what is asked for.
pub fn below(beyond: bool) -> &'static str {
    if beyond { " (under)" } else { "" }
}

/// Milliseconds.
pub fn ms(value: f64) -> String {
    if value < 10.0 { format!("{value:.2} ms") } else { format!("{value:.1} ms") }
}

//! HTML templates: an environment in which every value is escaped.

use std::fmt::Write;

use minijinja::{AutoEscape, Environment, Output, State, Value};

/// An environment for HTML, whatever its templates are called.
pub fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(escape);
    environment
}

/// Escapes what HTML needs escaped and no more: the engine's own escaping also takes slashes, which makes links hard to
/// read in the source of a mail.
fn escape(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    let text = if value.is_undefined() || value.is_none() { String::new() } else { value.to_string() };
    if value.is_safe() || matches!(state.auto_escape(), AutoEscape::None) {
        return Ok(output.write_str(&text)?);
    }
    for character in text.chars() {
        match character {
            '&' => output.write_str("&amp;")?,
            '<' => output.write_str("&lt;")?,
            '>' => output.write_str("&gt;")?,
            '"' => output.write_str("&quot;")?,
            '\'' => output.write_str("&#39;")?,
            other => output.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_value_is_text_and_links_stay_readable() {
        let rendered =
            environment().render_str(r#"<a href="{{ x }}">"#, minijinja::context! { x => "https://a/b?c=<'\"&>" });
        assert_eq!(rendered.unwrap(), r#"<a href="https://a/b?c=&lt;&#39;&quot;&amp;&gt;">"#);
    }
}

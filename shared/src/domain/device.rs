use woothee::parser::{Parser, WootheeResult};

/// Where a session was opened from, as it is shown to its owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Device {
    /// `desktop`, `mobile`, `other` or `unknown`.
    pub fn kind(&self) -> &'static str {
        match self.parsed().map(|parsed| parsed.category) {
            Some("pc") => "desktop",
            Some("smartphone" | "mobilephone") => "mobile",
            Some("appliance" | "crawler" | "misc") => "other",
            _ => "unknown",
        }
    }

    /// The browser, where it is one that is known.
    pub fn browser(&self) -> Option<String> {
        self.parsed().and_then(|parsed| known(parsed.name)).map(str::to_owned)
    }

    /// The operating system, where it is one that is known.
    pub fn os(&self) -> Option<String> {
        self.parsed().and_then(|parsed| known(parsed.os)).map(str::to_owned)
    }

    /// Browser and system in words for a person.
    pub fn name(&self) -> String {
        let parsed = self.parsed().unwrap_or_default();
        match (known(parsed.name), known(parsed.os)) {
            (Some(browser), Some(os)) => format!("{browser} on {os}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "an unknown device".to_owned(),
        }
    }

    fn parsed(&self) -> Option<WootheeResult<'_>> {
        Parser::new().parse(self.user_agent.as_deref()?)
    }
}

fn known(word: &str) -> Option<&str> {
    (!word.is_empty() && word != "UNKNOWN").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(user_agent: &str) -> Device {
        Device { ip_address: None, user_agent: Some(user_agent.to_owned()) }
    }

    #[test]
    fn browsers_and_systems_are_named() {
        let firefox = device("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0");
        assert_eq!((firefox.kind(), firefox.name().as_str()), ("desktop", "Firefox on Linux"));
        let safari = device(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        );
        assert_eq!((safari.kind(), safari.name().as_str()), ("mobile", "Safari on iPhone"));
        let crawler = device("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
        let console = device("Mozilla/5.0 (PlayStation 4 9.00) AppleWebKit/605.1.15 (KHTML, like Gecko)");
        assert_eq!((crawler.kind(), console.kind()), ("other", "other"));
        for odd in ["", "\u{1f980}", "Mozilla/5.0 (", &"a".repeat(5000)] {
            assert_eq!(device(odd).name(), "an unknown device", "{odd}");
        }
    }
}

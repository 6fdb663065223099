use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

/// How long a page may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Width of a small phone, in CSS pixels.
const WIDTH: u32 = 360;

/// What is wrong with the page that is shown: sideways overflow, and text that stands out too little from what is behind
/// it (WCAG 2.2, 1.4.3: 4.5 to 1, and 3 to 1 for large text).
const FAULTS: &str = r"
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push(`overflows: ${root.scrollWidth} of ${root.clientWidth}`);
const parse = text => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return { r, g, b, a }; };
const light = ({ r, g, b }) => {
  const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = element => {
  for (let at = element; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.a === 1) return color;
  }
  return parse(getComputedStyle(root).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches
    ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)');
};
let texts = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !element.getClientRects().length || element.tagName === 'STYLE') continue;
  texts += 1;
  const style = getComputedStyle(element);
  const [one, other] = [light(parse(style.color)), light(behind(element))].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  const large = parseFloat(style.fontSize) >= 24;
  if (ratio < (large ? 3 : 4.5)) faults.push(`${ratio.toFixed(2)} to 1: ${walker.currentNode.textContent.trim()}`);
}
if (!texts) faults.push('shows nothing');
return { faults, dark: light(behind(document.body)) < 0.2 };
";

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// Chromium, on a phone's screen.
pub struct Browser {
    pub client: Client,
    driver: Child,
    scheme: Scheme,
}

impl Browser {
    /// Starts it.
    pub async fn start(scheme: Scheme) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver starts: on Debian, apt-get install chromium chromium-driver");
        let lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let started = lines.map_while(Result::ok).find(|line| line.contains("started successfully on port"));
        let port: String = started.expect("a port").chars().filter(char::is_ascii_digit).collect();
        let preference = if scheme == Scheme::Dark { 0 } else { 1 };
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                format!("--blink-settings=preferredColorScheme={preference}"),
            ],
            "mobileEmulation": { "deviceMetrics": { "width": WIDTH, "height": 740, "pixelRatio": 2.0 } },
        });
        let capabilities = [("goog:chromeOptions".to_owned(), options)].into_iter().collect();
        let client = ClientBuilder::rustls()
            .expect("a client")
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts: on Debian, apt-get install chromium chromium-driver");
        Self { client, driver, scheme }
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) {
        self.client.goto(address).await.expect("the page opens");
    }

    /// Fails where the page that is shown is not fit for people.
    pub async fn assert_fit(&self, name: &str) {
        let found = self.client.execute(FAULTS, Vec::new()).await.expect("the page is looked at");
        assert_eq!(found["faults"], json!([]), "{name} in {:?}", self.scheme);
        assert_eq!(found["dark"], Value::from(self.scheme == Scheme::Dark), "{name} in {:?}", self.scheme);
    }

    /// Waits until a text is shown.
    pub async fn wait_for(&self, text: &str) {
        let shown = format!("//*[contains(normalize-space(text()), '{text}')]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&shown)).await;
        if found.is_err() {
            panic!("{text} is not shown, but: {}", self.text().await);
        }
    }

    /// All text that is shown.
    pub async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", Vec::new()).await.expect("the page is read");
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Stops it.
    pub async fn stop(mut self) {
        self.client.clone().close().await.expect("Chromium stops");
        self.driver.kill().expect("chromedriver stops");
        self.driver.wait().expect("chromedriver is gone");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a test that failed; one that passed has stopped it.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

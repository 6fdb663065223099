//! The README's walk is run, block by block, against a stack of its own.

use std::{fs, process::Stdio};

use local::{Data, Options, Stack};
use tests::derived::root;
use tokio::process::Command;

/// A block of shell of the walk, and the answer that the README shows under it.
struct Step {
    script: String,
    shown: Option<String>,
}

fn steps() -> Vec<Step> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let walk =
        readme.split("<!-- begin walk -->").nth(1).and_then(|rest| rest.split("<!-- end walk -->").next()).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    for block in walk.split("```").skip(1).step_by(2) {
        let (language, content) = block.split_once('\n').unwrap();
        match language {
            "sh" => steps.push(Step { script: content.to_owned(), shown: None }),
            "json" => steps.last_mut().unwrap().shown = Some(content.trim().to_owned()),
            other => panic!("a block of {other}"),
        }
    }
    steps
}

/// Whether an answer is the one shown, where `…` stands for anything.
fn is_shown(answer: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| answer.strip_prefix(first)) else { return false };
    for part in parts {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
    }
    rest.is_empty() || shown.ends_with('…')
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_of_the_walk_does_what_the_readme_says() {
    let settings = [("LOG_LEVEL".to_owned(), "off".to_owned())].into();
    let stack = Stack::start(Options { port: 0, aws_port: 0, data: Data::Memory, settings }).await.unwrap();
    let address = format!("localhost:{}", stack.address.port());
    let steps = steps();
    assert!(steps.len() >= 6, "the walk has {} steps", steps.len());
    let mark = "\u{1e}";
    let script = steps.iter().fold("set -eu\n".to_owned(), |script, step| {
        script + &step.script.replace("localhost:8080", &address) + &format!("\nprintf '{mark}'\n")
    });
    let output = Command::new("bash").arg("-c").arg(&script).stdin(Stdio::null()).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    for (step, answer) in steps.iter().zip(text.split(mark)) {
        let Some(shown) = &step.shown else { continue };
        assert!(is_shown(answer.trim(), shown), "{}\nanswered\n{answer}\nand not\n{shown}", step.script);
    }
}

//! `cargo run -p tests --bin wycheproof -- <folder>`: holds the signature check against the public Wycheproof vectors for
//! JSON Web Signatures. Of the valid ones those apply that are RS256; of the invalid ones all but one do.

use std::{env, fs, path::Path, process::ExitCode};

use serde_json::Value;
use shared::crypto::{PublicKeys, TrustedKeys};

/// Keys that a smart card of Infineon made. Ours are made by AWS-LC, and no others are trusted.
const NOT_APPLICABLE: &str = "rejectsKeyWithRocaVulnerability";

const FILES: [&str; 2] = ["json_web_signature_test.json", "json_web_crypto_test.json"];

#[derive(Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    not_ours: usize,
    wrong: Vec<String>,
}

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("Usage: wycheproof <folder>");
        return ExitCode::FAILURE;
    };
    let mut tally = Tally::default();
    for file in FILES {
        if let Err(error) = run(&Path::new(&folder).join(file), &mut tally) {
            eprintln!("{file}: {error}");
            return ExitCode::FAILURE;
        }
    }
    let Tally { accepted, refused, not_ours, wrong } = tally;
    println!("Wycheproof: {accepted} valid accepted, {refused} invalid refused, {not_ours} not applicable");
    wrong.iter().for_each(|wrong| eprintln!("{wrong}"));
    if wrong.is_empty() && accepted > 0 && refused > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(file: &Path, tally: &mut Tally) -> Result<(), Box<dyn std::error::Error>> {
    let vectors: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    for group in vectors["testGroups"].as_array().into_iter().flatten() {
        let key = if group["public"].is_null() { &group["private"] } else { &group["public"] };
        let keys = if key["keys"].is_array() { key.clone() } else { serde_json::json!({ "keys": [key] }) };
        // A key that is none for RS256 signatures is refused as a whole, and every token with it.
        let keys = serde_json::from_value::<PublicKeys>(keys).ok().and_then(|keys| TrustedKeys::new(&keys).ok());
        for test in group["tests"].as_array().into_iter().flatten() {
            let token = test["jws"].as_str().or_else(|| test["jwe"].as_str()).unwrap_or_default();
            let accepted = keys.as_ref().is_some_and(|keys| keys.open(token).is_ok());
            match (test["result"] == "valid", accepted) {
                (true, true) => tally.accepted += 1,
                (false, false) => tally.refused += 1,
                (true, false) if keys.is_none() => tally.not_ours += 1,
                _ if test["comment"] == NOT_APPLICABLE => tally.not_ours += 1,
                (_, accepted) => {
                    tally.wrong.push(format!("{} {}: accepted is {accepted}", test["tcId"], test["comment"]));
                }
            }
        }
    }
    Ok(())
}

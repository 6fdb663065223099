//! `cargo run --release -p tests --bin at_scale -- <people>`: what a page of a search costs among few people and among
//! many. Outside the ordinary suite, since a million take minutes and some gigabytes.

use std::{env, process::ExitCode, time::Instant};

use tests::client::App;

/// Searches that find many, some, and few.
const SEARCHES: [&str; 4] = ["anna", "an", "mull greta", "person_12"];
/// What a page of twenty may cost beside the account: design.md's budget.
const BUDGET: f64 = 5.0;
/// Units of the caller's own account.
const ACCOUNT: f64 = 1.0;
/// Pages that each search is measured over.
const ROUNDS: usize = 20;

#[tokio::main]
async fn main() -> ExitCode {
    let people: u64 = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let caller = app.member("caller@example.com").await;
    let mut loaded = 0;
    let mut within = true;
    println!("{:>10} {:>12} {:>6} {:>8} {:>10}", "people", "search", "found", "RRU", "median ms");
    for step in [1_000, 100_000, 1_000_000].into_iter().filter(|step| *step < people).chain([people]) {
        app.load_people(loaded, step - loaded);
        loaded = step;
        for search in SEARCHES {
            let path = format!("/api/v1/users/search?limit=20&q={}", search.replace(' ', "%20"));
            let mut times = Vec::new();
            let (mut found, mut units) = (0, 0.0_f64);
            for _ in 0..ROUNDS {
                let began = Instant::now();
                let page = app.get_as(&caller, &path).await;
                times.push(began.elapsed());
                found = page.json().as_array().map_or(0, Vec::len);
                units = units.max(app.cost(&page).await.rru());
            }
            times.sort();
            let median = times[ROUNDS / 2].as_secs_f64() * 1000.0;
            println!("{loaded:>10} {search:>12} {found:>6} {units:>8} {median:>10.2}");
            within &= units <= BUDGET + ACCOUNT;
        }
    }
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

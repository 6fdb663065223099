use tests::client::App;

use crate::measure;

/// What a page of twenty may cost: design.md's budget.
const BUDGET: f64 = 3.0;

/// Reads pages at the beginning, in the middle and deep down of longer and longer histories. Answers whether all was within
/// the budget, and whole.
pub async fn measure_all(count: u32) -> bool {
    let app = App::start().await;
    let mut within = true;
    println!("{:>10} {:>10} {:>6} {:>6} {:>10}", "attempts", "offset", "found", "RRU", "median ms");
    for attempts in [100, 10_000, 1_000_000].into_iter().filter(|attempts| *attempts < count).chain([count]) {
        let member = app.member(&format!("with{attempts}@example.com")).await;
        app.load_attempts(&member, attempts);
        for offset in [0, attempts / 2, attempts / 10 * 9, attempts.saturating_sub(20)] {
            let path = format!("/api/v1/attempts/me?limit=20&offset={offset}");
            let page = measure(&app, &member, &path).await;
            let found = page.last.json().as_array().map_or(0, Vec::len);
            println!("{attempts:>10} {offset:>10} {found:>6} {:>6} {:>10.2}", page.units, page.median_ms);
            within &= page.units <= BUDGET && found == usize::try_from((attempts - offset).min(20)).unwrap_or_default();
        }
    }
    within
}

use tests::client::App;

use crate::measure;

/// Searches that find many, some, and few.
const SEARCHES: [&str; 4] = ["anna", "an", "mull greta", "person_12"];
/// What a page of twenty may cost: design.md's budget, and the caller's own account.
const BUDGET: f64 = 5.0 + 1.0;

/// Searches among more and more people. Answers whether all was within the budget.
pub async fn measure_all(people: u64) -> bool {
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
            let page = measure(&app, &caller, &path).await;
            let found = page.last.json().as_array().map_or(0, Vec::len);
            println!("{loaded:>10} {search:>12} {found:>6} {:>8} {:>10.2}", page.units, page.median_ms);
            within &= page.units <= BUDGET;
        }
    }
    within
}

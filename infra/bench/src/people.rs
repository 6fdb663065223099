//! The same requests among more and more people.

use figures::measured::Scaled;
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::json;
use tests::client::{App, PASSWORD};

use crate::{
    Result,
    requests::SETTINGS,
    scale::{Asked, repeated},
};

/// How many people there are.
const STEPS: [u64; 3] = [1_000, 100_000, 1_000_000];
/// How many are added between two moves of the bar.
const BATCH: u64 = 10_000;

/// Moves of the bar.
pub const MOVES: usize = 1 + ((STEPS[1] - STEPS[0]).div_ceil(BATCH) + (STEPS[2] - STEPS[1]).div_ceil(BATCH)) as usize;

/// Measures at each step.
pub async fn measure(bar: &ProgressBar) -> Result<Vec<Scaled>> {
    let (app, admin) = App::with_admin(&SETTINGS[..6]).await;
    let member = app.member("alice@example.com").await;
    // Who signs in again and again loses the sessions of before.
    let guest = app.member("bob@example.com").await;
    bar.set_message("among many people");
    let mut rows = Vec::new();
    let mut loaded = 0;
    for step in STEPS {
        while loaded < step {
            let batch = BATCH.min(step - loaded);
            app.load_people(loaded, batch);
            loaded += batch;
            bar.inc(1);
        }
        let login = |app: &App| {
            let body = json!({ "email": guest.email, "password": PASSWORD });
            app.request(Method::POST, "/api/v1/auth/login").json(&body)
        };
        rows.push(repeated(&app, "login", step, &login).await?);
        let get = |path: &'static str| {
            let token = member.access_token.clone();
            move |app: &App| app.request(Method::GET, path).bearer_auth(&token)
        };
        let asked: [(&str, &'static str); 4] = [
            ("me", "/api/v1/auth/me"),
            ("search that finds many", "/api/v1/users/search?q=anna&limit=20"),
            ("search of two words", "/api/v1/users/search?q=mull%20greta&limit=20"),
            ("search that finds few", "/api/v1/users/search?q=person_12&limit=20"),
        ];
        for (case, path) in asked {
            rows.push(repeated(&app, case, step, &get(path)).await?);
        }
        let listed = |app: &App| app.request(Method::GET, "/api/v1/users?limit=20").bearer_auth(&admin.access_token);
        rows.push(repeated(&app, "list of users", step, &listed as Asked<'_>).await?);
    }
    Ok(rows)
}

use serde_json::Value;
use tests::client::App;

const PATH: &str = "/.well-known/jwks.json";

#[tokio::test]
async fn the_keys_are_public_rsa_keys_and_nothing_more() {
    let app = App::start().await;
    let answer = app.get(PATH).await;
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("application/json", "public, max-age=900")
    );
    let body = answer.json();
    let keys = body["keys"].as_array().unwrap();
    assert_eq!((body.as_object().unwrap().len(), keys.len()), (1, 2), "the current one and the next");
    for key in keys {
        let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&"RSA".into(), &"RS256".into(), &"sig".into()));
        assert_eq!(key["n"].as_str().unwrap().len(), 342, "2048 bits");
    }
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
}

#[tokio::test]
async fn no_database_is_asked_and_secrets_but_once() {
    let app = App::start().await;
    let first = app.get(PATH).await;
    let calls =
        |cost: &tests::client::Cost| -> Vec<String> { cost.calls.iter().map(|call| call.service.clone()).collect() };
    assert_eq!(calls(&app.cost(&first).await), ["secretsmanager"]);
    let second = app.get(PATH).await;
    let entries: Value = app.get(&format!("/_local/ledger?request_id={}", second.header("x-request-id"))).await.json();
    assert_eq!(entries[0]["calls"].as_array().map_or(0, Vec::len), 0, "{entries}");
}

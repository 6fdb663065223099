use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::App;

const PATHS: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

#[tokio::test]
async fn the_issuer_leads_to_keys_and_endpoints_that_answer() {
    let app = App::start().await;
    let issuer = app.address("");
    for path in PATHS {
        // Nothing is taken from the request.
        let answer = app.send(app.request(Method::GET, path).header("host", "evil.example.com")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "public, max-age=900"));
        let found = answer.json();
        assert_eq!(found["issuer"], issuer.replace("127.0.0.1", "localhost"), "{found}");
        for (name, method) in [
            ("jwks_uri", Method::GET),
            ("token_endpoint", Method::POST),
            ("introspection_endpoint", Method::POST),
            ("revocation_endpoint", Method::POST),
            ("service_documentation", Method::GET),
        ] {
            let address = found[name].as_str().unwrap();
            let local = address.strip_prefix(found["issuer"].as_str().unwrap()).unwrap();
            let status = app.send(app.request(method, local)).await.status;
            assert!(![StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&status), "{address} {status}");
        }
        assert_eq!(found["id_token_signing_alg_values_supported"], json!(["RS256"]));
    }
}

#[tokio::test]
async fn the_issuer_is_that_of_the_tokens() {
    let app = App::with(&[("ISSUER", "https://id.example.com")]).await;
    let found = app.get(PATHS[0]).await.json();
    assert_eq!(found["jwks_uri"], "https://id.example.com/.well-known/jwks.json");
}

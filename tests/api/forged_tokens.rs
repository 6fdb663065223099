//! Tokens that someone made who knows all that is public, and some that only our own key could have signed: refused by the
//! service, by introspection and by the authorizer alike.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tests::client::App;

use crate::{auth::introspect::introspect, authorizer};

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn decoded(token: &str, place: usize) -> Value {
    let part = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn signed(header: &Value, claims: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

async fn assert_refused(app: &App, token: &str, what: &str) {
    let me = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
    assert!(["invalid_token", "token_expired"].contains(&me.code().as_str()), "{what}: {} {}", me.status, me.text);
    assert_eq!(introspect(app, token).await, json!({ "active": false }), "{what}");
    assert!(!authorizer::passes(app, token).await, "{what}");
}

#[tokio::test]
async fn no_trick_with_the_header_makes_a_signature() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let (header, claims) = (decoded(&member.access_token, 0), decoded(&member.access_token, 1));
    let jwk = app.get("/.well-known/jwks.json").await.json()["keys"][0].clone();
    let with = |changes: Value| {
        let mut changed = header.clone();
        changes.as_object().unwrap().iter().for_each(|(name, value)| changed[name] = value.clone());
        changed
    };
    for alg in ["none", "None", "NONE", ""] {
        let message = format!("{}.{}", part(&with(json!({ "alg": alg }))), part(&claims));
        let signature = member.access_token.rsplit('.').next().unwrap();
        for token in [format!("{message}."), format!("{message}.{signature}"), message.clone()] {
            assert_refused(&app, &token, alg).await;
        }
    }
    // The public key as the secret of an HMAC, however it might be read.
    let modulus = jwk["n"].as_str().unwrap();
    for secret in [jwk.to_string().into_bytes(), modulus.into(), BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap()] {
        let key = EncodingKey::from_secret(&secret);
        let token = signed(&with(json!({ "alg": "HS256" })), &claims, &key, Algorithm::HS256);
        assert_refused(&app, &token, "HS256").await;
        let token = signed(&header, &claims, &key, Algorithm::HS256);
        assert_refused(&app, &token, "HS256 under the name of RS256").await;
    }
    // A key of the forger's own, which the header offers.
    let other = App::start().await.secret("SigningKeys").await["current"].clone();
    let key = EncodingKey::from_rsa_pem(other["private_key"].as_str().unwrap().as_bytes()).unwrap();
    for changes in [
        json!({}),
        json!({ "jwk": other["public_key"] }),
        json!({ "jku": "https://evil.example.com/jwks.json" }),
        json!({ "x5u": "https://evil.example.com/cert.pem" }),
        json!({ "kid": other["kid"] }),
        json!({ "kid": "../../../../dev/null" }),
        json!({ "kid": "' OR 1=1 --" }),
        json!({ "kid": null }),
    ] {
        let token = signed(&with(changes.clone()), &claims, &key, Algorithm::RS256);
        assert_refused(&app, &token, &changes.to_string()).await;
    }
    let mut parts: Vec<&str> = member.access_token.split('.').collect();
    let premium = part(&json!({ "role": "ADMIN" }));
    parts[1] = &premium;
    assert_refused(&app, &parts.join("."), "other claims under the same signature").await;
}

#[tokio::test]
async fn our_own_signature_makes_no_access_token_of_anything_else() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let (header, claims) = (decoded(&member.access_token, 0), decoded(&member.access_token, 1));
    let pem = app.secret("SigningKeys").await["current"]["private_key"].as_str().unwrap().to_owned();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let exp = claims["exp"].as_i64().unwrap();
    let right = signed(&header, &claims, &key, Algorithm::RS256);
    assert!(authorizer::passes(&app, &right).await, "so that the others are refused for what is wrong with them");
    for changes in [
        json!({ "typ": "JWT" }),
        json!({ "typ": null }),
        json!({ "typ": "id+jwt" }),
        json!({ "crit": ["exp"], "exp": exp }),
        json!({ "crit": ["unknown"], "unknown": 1 }),
    ] {
        let mut changed = header.clone();
        changes.as_object().unwrap().iter().for_each(|(name, value)| changed[name] = value.clone());
        assert_refused(&app, &signed(&changed, &claims, &key, Algorithm::RS256), &changes.to_string()).await;
    }
    for changes in [
        json!({ "iss": "https://evil.example.com" }),
        json!({ "iss": null }),
        json!({ "aud": "other-service" }),
        json!({ "aud": ["user-service"] }),
        json!({ "type": "refresh" }),
        json!({ "type": null }),
        json!({ "exp": exp.to_string() }),
        json!({ "exp": null }),
        json!({ "exp": 1e300 }),
        json!({ "exp": exp - 1000 }),
        json!({ "nbf": exp }),
        json!({ "nbf": "0" }),
        json!({ "sub": "alice@example.com" }),
        json!({ "sub": null }),
        json!({ "sid": "x" }),
    ] {
        let mut changed = claims.clone();
        changes.as_object().unwrap().iter().for_each(|(name, value)| changed[name] = value.clone());
        assert_refused(&app, &signed(&header, &changed, &key, Algorithm::RS256), &changes.to_string()).await;
    }
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let mut named = header.clone();
        named["alg"] = format!("{algorithm:?}").into();
        assert_refused(&app, &signed(&named, &claims, &key, algorithm), &format!("{algorithm:?}")).await;
    }
    let padded: String = format!("{right}=");
    for token in [padded, format!("{right}.x"), format!(" {right}x"), right.replace('.', ".."), "a".repeat(5000)] {
        assert_refused(&app, &token, "malformed").await;
    }
}

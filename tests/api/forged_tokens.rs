//! Tokens that someone made who knows all that is public, and some that only our own key could have signed: refused by the
//! service, by introspection and by the authorizer alike.

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
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

/// A public key as servers keep it in files (RFC 5280 §4.1.2.7, RFC 7468 §13): in DER, and in PEM.
fn subject_public_key_info(jwk: &Value) -> (Vec<u8>, String) {
    let tagged = |tag: u8, content: Vec<u8>| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length = match (high, low) {
            (0, ..0x80) => vec![low],
            (0, _) => vec![0x81, low],
            _ => vec![0x82, high, low],
        };
        [vec![tag], length, content].concat()
    };
    let number = |name: &str| {
        let bytes = BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap();
        let sign = if bytes[0] < 0x80 { vec![] } else { vec![0] };
        tagged(0x02, [sign, bytes].concat())
    };
    let key = tagged(0x30, [number("n"), number("e")].concat());
    let rsa_encryption = hex("300d06092a864886f70d0101010500");
    let der = tagged(0x30, [rsa_encryption, tagged(0x03, [vec![0], key].concat())].concat());
    let lines: Vec<_> =
        BASE64.encode(&der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    (der, pem)
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
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
    let (der, pem) = subject_public_key_info(&jwk);
    let modulus_bytes = BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap();
    let secrets =
        [jwk.to_string().into_bytes(), modulus.into(), modulus_bytes, der, pem.clone().into(), pem.trim_end().into()];
    for secret in secrets {
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
    let mut promoted = claims.clone();
    promoted["role"] = json!("ADMIN");
    let promoted = part(&promoted);
    parts[1] = &promoted;
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

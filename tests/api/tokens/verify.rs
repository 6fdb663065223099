use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

/// The claims of a token, where it is valid. In a service, fetch the keys once and again when a `kid` is not among them.
pub async fn verify(issuer: &str, token: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let metadata = reqwest::get(format!("{issuer}/.well-known/openid-configuration")).await?.json::<Value>().await?;
    let keys = metadata["jwks_uri"].as_str().ok_or("no jwks_uri")?;
    let keys = reqwest::get(keys).await?.json::<JwkSet>().await?;
    let header = decode_header(token)?;
    let key = keys.find(header.kid.as_deref().unwrap_or_default()).ok_or("an unknown key")?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&["user-service"]);
    validation.validate_nbf = true;
    Ok(decode::<Value>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims)
}

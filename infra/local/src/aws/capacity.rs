//! Capacity units of a call. DynamoDB reports them for what succeeds; a failed condition costs and reports nothing, so
//! there the ledger computes them from the item's size (AWS: "DynamoDB item sizes and formats").

use data_encoding::BASE64;
use serde_json::Value;

/// Bytes that one write request unit covers.
const WRITE_UNIT: usize = 1024;

/// The units that the answer reports, in all.
pub fn reported(answer: &Value) -> f64 {
    match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    }
}

/// Write units of an item of that many bytes.
pub fn write_units(bytes: usize) -> f64 {
    bytes.div_ceil(WRITE_UNIT).max(1) as f64
}

/// Bytes of an item.
pub fn item_size(item: &Value) -> usize {
    item.as_object().into_iter().flatten().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, inner)) = value.as_object().and_then(|typed| typed.iter().next()) else { return 0 };
    match (kind.as_str(), inner) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("B", Value::String(encoded)) => BASE64.decode_len(encoded.len()).unwrap_or(encoded.len()),
        ("M", Value::Object(_)) => 3 + item_size(inner) + inner.as_object().map_or(0, serde_json::Map::len),
        ("L", Value::Array(values)) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        ("SS" | "NS" | "BS", Value::Array(values)) => values.iter().filter_map(Value::as_str).map(str::len).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sizes_follow_the_documented_rules() {
        let item = json!({ "pk": { "S": "abc" }, "n": { "N": "1234" }, "m": { "M": { "a": { "BOOL": true } } } });
        assert_eq!(item_size(&item), (2 + 3) + (1 + 3) + (1 + 3 + (1 + 1) + 1));
        assert!((write_units(1024) - 1.0).abs() < f64::EPSILON && (write_units(1025) - 2.0).abs() < f64::EPSILON);
    }
}

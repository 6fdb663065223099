use std::collections::HashMap;

use aws_sdk_dynamodbstreams::types::{AttributeValue, Record};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};

/// A record of a stream as Lambda hands it to a function.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
pub fn event_of(record: &Record, stream_arn: &str) -> Value {
    let change = record.dynamodb();
    let image = |image: Option<&HashMap<String, AttributeValue>>| image.map(attributes);
    let mut told = Map::new();
    if let Some(change) = change {
        let at = change.approximate_creation_date_time().map_or(0, |at| at.secs());
        told.extend([
            ("ApproximateCreationDateTime".to_owned(), json!(at)),
            ("SequenceNumber".to_owned(), json!(change.sequence_number())),
            ("SizeBytes".to_owned(), json!(change.size_bytes())),
            ("StreamViewType".to_owned(), json!(change.stream_view_type().map(|kind| kind.as_str()))),
        ]);
        let images = [("Keys", change.keys()), ("NewImage", change.new_image()), ("OldImage", change.old_image())];
        told.extend(images.into_iter().filter_map(|(name, items)| Some((name.to_owned(), image(items)?))));
    }
    json!({
        "eventID": record.event_id(),
        "eventName": record.event_name().map(|name| name.as_str()),
        "eventVersion": record.event_version(),
        "eventSource": "aws:dynamodb",
        "eventSourceARN": stream_arn,
        "awsRegion": record.aws_region(),
        "dynamodb": told,
    })
}

fn attributes(attributes: &HashMap<String, AttributeValue>) -> Value {
    attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

fn attribute(value: &AttributeValue) -> Value {
    let bytes = |bytes: &[u8]| BASE64.encode(bytes);
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": bytes(blob.as_ref()) }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::L(items) => json!({ "L": items.iter().map(attribute).collect::<Vec<_>>() }),
        AttributeValue::M(inner) => json!({ "M": attributes(inner) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(|blob| bytes(blob.as_ref())).collect::<Vec<_>>() }),
        // DynamoDB has no other kinds; the SDK is prepared for some.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodbstreams::{
        primitives::{Blob, DateTime},
        types::{OperationType, StreamRecord, StreamViewType},
    };

    #[test]
    fn it_reads_like_lambdas_own() {
        let list = AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)]);
        let map = AttributeValue::M(HashMap::from([("inner".to_owned(), AttributeValue::B(Blob::new([1, 2])))]));
        let change = StreamRecord::builder()
            .approximate_creation_date_time(DateTime::from_secs(1_700_000_000))
            .sequence_number("42")
            .size_bytes(7)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .keys("pk", AttributeValue::S("USER#1".to_owned()))
            .new_image("pk", AttributeValue::S("USER#1".to_owned()))
            .new_image("tries", AttributeValue::N("3".to_owned()))
            .new_image("list", list)
            .new_image("map", map)
            .new_image("set", AttributeValue::Ss(vec!["a".to_owned()]))
            .build();
        let record = Record::builder()
            .event_id("id")
            .event_name(OperationType::Modify)
            .aws_region("eu-central-1")
            .dynamodb(change);
        let event = json!({ "Records": [event_of(&record.build(), "arn:aws:dynamodb:x")] });
        let image = json!({
            "pk": { "S": "USER#1" }, "tries": { "N": "3" }, "list": { "L": [{ "BOOL": true }, { "NULL": true }] },
            "map": { "M": { "inner": { "B": "AQI=" } } }, "set": { "SS": ["a"] },
        });
        assert_eq!(event["Records"][0]["dynamodb"]["NewImage"], image);
        let read: aws_lambda_events::dynamodb::Event = serde_json::from_value(event).unwrap();
        let read = &read.records[0];
        assert_eq!((read.event_id.as_str(), read.event_name.as_str()), ("id", "MODIFY"));
        assert_eq!(read.change.sequence_number.as_deref(), Some("42"));
    }
}

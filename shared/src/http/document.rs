//! What the OpenAPI document says of the documents that people fill in, from the tables that validate them.

use serde_json::{Map, Value};
use utoipa::openapi::{
    RefOr, Schema,
    schema::{ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type},
};

use crate::domain::{Document, Field, Kind};

/// A document with every field of its table, the ones that nobody set with what they hold then.
pub fn shown(document: &Document, tables: &[&[Field]]) -> Map<String, Value> {
    let fields = tables.iter().flat_map(|table| table.iter());
    fields.map(|field| (field.name.to_owned(), document.get(field))).collect()
}

/// The schema of a document, as it is answered, or as it is edited: then every field may be absent, or `null`.
pub fn schema(tables: &[&[Field]], description: &str, editing: bool) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    for field in tables.iter().flat_map(|table| table.iter()) {
        object = object.property(field.name, field_schema(field, editing));
        if !editing {
            object = object.required(field.name);
        }
    }
    if editing {
        object = object.additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)));
    }
    RefOr::T(object.build().into())
}

fn field_schema(field: &Field, editing: bool) -> RefOr<Schema> {
    let nullable = editing || field.default().is_null();
    let of = |kind: Type| {
        let types = if nullable { SchemaType::from_iter([kind, Type::Null]) } else { SchemaType::new(kind) };
        let object = ObjectBuilder::new().schema_type(types);
        if editing || field.default().is_null() { object } else { object.default(Some(field.default())) }
    };
    let text = |longest: usize| of(Type::String).min_length(Some(1)).max_length(Some(longest));
    let object = match field.kind {
        Kind::Line(longest) | Kind::Prose(longest) => text(longest),
        Kind::Choice(words) => {
            let words = words.iter().map(|word| Value::from(*word));
            of(Type::String).enum_values(Some(words.chain(nullable.then_some(Value::Null))))
        }
        Kind::Flag => of(Type::Boolean),
        Kind::Number(least, most) => of(Type::Integer).minimum(Some(least)).maximum(Some(most)),
        Kind::WebAddress => text(2048).format(Some(SchemaFormat::Custom("uri".to_owned()))),
        Kind::PhoneNumber => text(32),
        Kind::Language => text(35).description(Some("A language tag (BCP 47).")),
        Kind::TimeZone => text(64).description(Some("A time zone (IANA).")),
        Kind::Object(_) => of(Type::Object),
        Kind::Lines(many, longest) => {
            let line = ObjectBuilder::new().schema_type(Type::String).max_length(Some(longest));
            return list(line, Some(many), nullable);
        }
        Kind::Objects(_) => return list(ObjectBuilder::new().schema_type(Type::Object), None, nullable),
    };
    RefOr::T(object.build().into())
}

fn list(items: ObjectBuilder, most: Option<usize>, nullable: bool) -> RefOr<Schema> {
    let types = if nullable { SchemaType::from_iter([Type::Array, Type::Null]) } else { SchemaType::new(Type::Array) };
    RefOr::T(ArrayBuilder::new().schema_type(types).items(items.build()).max_items(most).build().into())
}

/// Gives a type the schema of a document.
#[macro_export]
macro_rules! document_schema {
    ($type:ty, $name:literal, $tables:expr, $description:literal, editing: $editing:literal) => {
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::http::document::schema($tables, $description, $editing)
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
        }
    };
}

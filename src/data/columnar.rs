//! Rows from parquet, by its record interface.

use std::panic::catch_unwind;
use std::path::Path;

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{DataError, Place};
use super::rows::{Fields, Format, Rows};
use super::text;

/// A parquet file. The library panics on some damaged files; those are refused like the others.
///
/// # Errors
/// What is wrong and where.
pub fn file(path: &Path) -> Result<Rows, DataError> {
    let damaged = || DataError::File {
        path: path.to_owned(),
        reason: "parquet that makes no sense inside; download it again".into(),
    };
    catch_unwind(|| read(path)).unwrap_or_else(|_| Err(damaged()))
}

/// Whether every column lies within the file: the library takes that for granted.
fn holds(about: &ParquetMetaData, length: u64) -> bool {
    let columns = about.row_groups().iter().flat_map(|group| group.columns());
    columns.into_iter().all(|column| {
        let offsets =
            [Some(column.data_page_offset()), column.dictionary_page_offset(), Some(column.compressed_size())];
        offsets.into_iter().flatten().all(|at| u64::try_from(at).is_ok_and(|at| at <= length))
    })
}

fn read(path: &Path) -> Result<Rows, DataError> {
    let bytes = text::whole_bytes(path)?;
    if bytes.is_empty() {
        return Err(DataError::Empty { path: path.to_owned() });
    }
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let whole = |reason: String| DataError::File { path: path.to_owned(), reason };
    if !bytes.starts_with(b"PAR1") || !bytes.ends_with(b"PAR1") {
        return Err(whole("is no parquet file, or only a part of one; download it again".into()));
    }
    let foreign = |error: &dyn std::fmt::Display| format!("parquet that cannot be read: {error}; download it again");
    let length = bytes.len() as u64;
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(|error| whole(foreign(&error)))?;
    if !holds(reader.metadata(), length) {
        return Err(whole("parquet whose columns lie outside of the file; download it again".into()));
    }
    let stored = reader.get_row_iter(None).map_err(|error| whole(foreign(&error)))?;
    let mut rows = Vec::new();
    for (at, row) in stored.enumerate() {
        let place = Place::Row(at + 1);
        let row = row.map_err(|error| DataError::At { path: path.to_owned(), place, reason: foreign(&error) })?;
        let fields: Fields = row.into_columns().into_iter().map(|(name, field)| (name, value(&field))).collect();
        rows.push((place, fields));
    }
    Ok(Rows { format: Format::Parquet, sha256, rows })
}

/// A parquet value as JSON: byte arrays without a type are texts where they can be; times are no answers and stay null.
fn value(field: &Field) -> Value {
    match field {
        Field::Bool(switch) => Value::from(*switch),
        Field::Byte(number) => Value::from(*number),
        Field::Short(number) => Value::from(*number),
        Field::Int(number) => Value::from(*number),
        Field::Long(number) => Value::from(*number),
        Field::UByte(number) => Value::from(*number),
        Field::UShort(number) => Value::from(*number),
        Field::UInt(number) => Value::from(*number),
        Field::ULong(number) => Value::from(*number),
        // By its shortest decimal: 0.1 in single precision is meant to be 0.1.
        Field::Float(number) => number.to_string().parse::<f64>().map_or(Value::Null, Value::from),
        Field::Double(number) => Value::from(*number),
        Field::Float16(_) | Field::Decimal(_) => Value::from(field.to_string()),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec()).map_or(Value::Null, Value::from),
        Field::Group(row) => {
            Value::Object(row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect())
        }
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        _ => Value::Null,
    }
}

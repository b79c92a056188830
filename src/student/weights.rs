//! Weights in safetensors files: Hugging Face names and orientation outside, ours inside.
//!
//! F32, F16, BF16 and F64 are read, everything becomes single precision; single precision is written. Files are read
//! tensor by tensor, so that a checkpoint is never in memory twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use burn::module::Param;
use burn::tensor::{Device, TensorData, bf16, f16};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError};

use super::config::ModelConfig;
use super::decoder::Decoder;
use super::error::StudentError;
use super::parameters::{NamedParameter, ParameterKind, Slot};

/// A header longer than this is damage, not a header.
const LONGEST_HEADER: u64 = 100_000_000;

/// What weights are read from: a file, or bytes in memory.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// One open safetensors file.
pub struct TensorFile<'a> {
    name: String,
    source: Box<dyn Source + 'a>,
    metadata: Metadata,
    data_start: u64,
}

impl<'a> TensorFile<'a> {
    /// Reads the header and checks that the file is as long as it says.
    ///
    /// # Errors
    /// [`StudentError::Weights`] if it is cut off or its header is damaged.
    pub fn open(name: &str, mut source: Box<dyn Source + 'a>) -> Result<Self, StudentError> {
        let damaged = |message: String| StudentError::Weights { file: name.to_owned(), message };
        let io = |e: std::io::Error| StudentError::Weights { file: name.to_owned(), message: e.to_string() };
        let length = source.seek(SeekFrom::End(0)).map_err(io)?;
        source.rewind().map_err(io)?;
        if length < 8 {
            return Err(damaged(format!("it has {length} bytes, fewer than a header")));
        }
        let mut size = [0; 8];
        source.read_exact(&mut size).map_err(io)?;
        let header = u64::from_le_bytes(size);
        if header > LONGEST_HEADER || header + 8 > length {
            return Err(damaged(format!("its header should have {header} bytes, the file has {length}")));
        }
        let mut text = vec![0; header as usize];
        source.read_exact(&mut text).map_err(io)?;
        let metadata: Metadata = serde_json::from_slice(&text).map_err(|e| damaged(format!("its header: {e}")))?;
        let expected = 8 + header + metadata.data_len() as u64;
        if expected != length {
            return Err(damaged(format!("it should have {expected} bytes, it has {length}")));
        }
        Ok(Self { name: name.to_owned(), source, metadata, data_start: 8 + header })
    }

    /// Names of its tensors, in file order.
    pub fn names(&self) -> Vec<String> {
        self.metadata.offset_keys()
    }

    /// What its metadata says under a key.
    pub fn about(&self, key: &str) -> Option<&str> {
        self.metadata.metadata().as_ref()?.get(key).map(String::as_str)
    }

    /// The numbers of a tensor in single precision; `None` where there is none of this name and shape.
    ///
    /// # Errors
    /// A file that cannot be read, or a number type that is no float.
    pub fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<f32>>, StudentError> {
        let info = self.metadata.info(name).filter(|info| info.shape == shape).cloned();
        info.map(|info| self.read(name, &info)).transpose()
    }

    /// Adds the bytes of its tensors to `all`, by number type.
    pub(crate) fn count_stored(&self, all: &mut BTreeMap<String, u64>) {
        for info in self.metadata.tensors().values() {
            let (start, end) = info.data_offsets;
            *all.entry(format!("{:?}", info.dtype)).or_default() += (end - start) as u64;
        }
    }

    fn read(&mut self, name: &str, info: &TensorInfo) -> Result<Vec<f32>, StudentError> {
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end - start];
        let at = SeekFrom::Start(self.data_start + start as u64);
        let read = self.source.seek(at).and_then(|_| self.source.read_exact(&mut bytes));
        read.map_err(|e| StudentError::Weights { file: self.name.clone(), message: format!("tensor {name}: {e}") })?;
        to_f32(&bytes, info.dtype).ok_or_else(|| StudentError::Dtype {
            file: self.name.clone(),
            name: name.to_owned(),
            dtype: format!("{:?}", info.dtype),
        })
    }
}

/// Builds the decoder of `config` on `device` from one file or several shards; `label` names them in messages.
///
/// # Errors
/// A missing, unknown, misshapen or non-float tensor, by name.
pub fn read_decoder(
    config: &ModelConfig,
    label: &str,
    files: &mut [TensorFile<'_>],
    device: &Device,
) -> Result<Decoder, StudentError> {
    let mut home = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        home.extend(file.names().into_iter().map(|name| (name, index)));
    }
    let mut decoder = Decoder::zeros(config, device);
    let mut asked = BTreeSet::new();
    for (name, kind, slot) in decoder.slots() {
        let missing = || StudentError::MissingTensor { file: label.to_owned(), name: name.clone() };
        let file = home.get(&name).and_then(|index| files.get_mut(*index)).ok_or_else(missing)?;
        let info = file.metadata.info(&name).cloned().ok_or_else(missing)?;
        match slot {
            Slot::Vector(p) => {
                let dims: [usize; 1] = p.lazy_shape().dims();
                check_shape(&file.name, &name, &info, &dims)?;
                *p = Param::from_data(TensorData::new(file.read(&name, &info)?, dims), device);
            }
            Slot::Matrix(p) => {
                let [a, b] = p.lazy_shape().dims();
                let linear = kind == ParameterKind::Linear;
                check_shape(&file.name, &name, &info, &if linear { [b, a] } else { [a, b] })?;
                let values = file.read(&name, &info)?;
                let values = if linear { transposed(&values, b, a) } else { values };
                *p = Param::from_data(TensorData::new(values, [a, b]), device);
            }
        }
        asked.insert(name);
    }
    refuse_unknown(config, files, &asked)?;
    Ok(decoder)
}

fn check_shape(file: &str, name: &str, info: &TensorInfo, expected: &[usize]) -> Result<(), StudentError> {
    if info.shape == expected {
        return Ok(());
    }
    let (found, expected) = (info.shape.clone(), expected.to_vec());
    Err(StudentError::Shape { file: file.to_owned(), name: name.to_owned(), found, expected })
}

/// A tensor nobody asked for means that the checkpoint is not what the configuration says; two kinds are harmless.
fn refuse_unknown(
    config: &ModelConfig,
    files: &[TensorFile<'_>],
    asked: &BTreeSet<String>,
) -> Result<(), StudentError> {
    let harmless = |name: &str| name.ends_with("rotary_emb.inv_freq") || (config.tied && name == "lm_head.weight");
    for file in files {
        if let Some(name) = file.names().into_iter().find(|name| !asked.contains(name) && !harmless(name)) {
            let model_type = config.family.model_type();
            return Err(StudentError::UnknownTensor { file: file.name.clone(), name, model_type });
        }
    }
    Ok(())
}

pub(super) fn to_f32(bytes: &[u8], dtype: Dtype) -> Option<Vec<f32>> {
    let words = bytes.as_chunks::<2>().0.iter();
    Some(match dtype {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        Dtype::F16 => words.map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => words.map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
        _ => return None,
    })
}

/// The transpose of a `[rows, columns]` matrix, in blocks that stay in the cache.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 32;
    let mut out = vec![0.0; values.len()];
    for r0 in (0..rows).step_by(BLOCK) {
        for c0 in (0..columns).step_by(BLOCK) {
            for r in r0..rows.min(r0 + BLOCK) {
                for c in c0..columns.min(c0 + BLOCK) {
                    out[c * rows + r] = values[r * columns + c];
                }
            }
        }
    }
    out
}

/// Writes every parameter as single precision under its Hugging Face name; `path` is where `out` goes, for messages.
///
/// # Errors
/// [`StudentError::Io`] if writing fails, [`StudentError::Device`] if the device does.
pub fn write_decoder(decoder: &Decoder, path: &Path, out: &mut impl Write) -> Result<(), StudentError> {
    let parameters = decoder.named_parameters();
    let header = header(&parameters).map_err(|e| StudentError::io("write", path)(std::io::Error::other(e)))?;
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(StudentError::io("write", path));
    put(&(header.len() as u64).to_le_bytes())?;
    put(&header)?;
    for p in parameters {
        let mut values = p.value.to_vec()?;
        if let (ParameterKind::Linear, [a, b]) = (p.kind, &p.value.dims()[..]) {
            values = transposed(&values, *a, *b);
        }
        for part in values.chunks(4096) {
            let bytes: Vec<u8> = part.iter().flat_map(|value| value.to_le_bytes()).collect();
            put(&bytes)?;
        }
    }
    out.flush().map_err(StudentError::io("write", path))
}

/// Names, shapes and places of all tensors, as JSON padded to whole words.
fn header(parameters: &[NamedParameter]) -> Result<Vec<u8>, SafeTensorError> {
    let mut offset = 0;
    let mut infos = Vec::new();
    for p in parameters {
        let mut shape = p.value.dims();
        if p.kind == ParameterKind::Linear {
            shape.reverse();
        }
        let end = offset + 4 * shape.iter().product::<usize>();
        infos.push((p.name.clone(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (offset, end) }));
        offset = end;
    }
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let mut header = serde_json::to_vec(&Metadata::new(Some(format), infos)?)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

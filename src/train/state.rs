//! A training run on disk: weights, moments and the number of updates, as one safetensors file.
//!
//! Loaded back, training goes on as if it had never stopped, to the last bit. Tensors are named `weight/…`, `first/…`
//! and `second/…` with the Hugging Face names behind; they lie as the model keeps them, so this is no checkpoint for
//! others.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::adamw::{AdamW, Moments};
use super::error::TrainError;
use super::trainer::Trainer;
use crate::recipe::AdamWRecipe;
use crate::student::weights::{Source, TensorFile};
use crate::student::workers::Workers;
use crate::student::{NamedParameter, Student, StudentError};

/// Metadata key of the number of updates.
const UPDATES: &str = "footbridge.updates";
/// What there is of each parameter, in this order.
const PARTS: [&str; 3] = ["weight", "first", "second"];

impl Trainer {
    /// Weights, moments and update count, in memory.
    ///
    /// # Errors
    /// As [`Trainer::write_state`].
    pub fn state(&self) -> Result<Vec<u8>, TrainError> {
        let mut bytes = Vec::new();
        self.write_state(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes weights, moments and update count, tensor by tensor: nothing but one tensor is in memory twice.
    ///
    /// # Errors
    /// If the device fails, or `out` refuses.
    pub fn write_state(&self, out: &mut impl Write) -> Result<(), TrainError> {
        let (parameters, moments) = (self.student.model.trained_parameters(), self.optimizer.moments());
        let header = self.header(&parameters)?;
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(TrainError::Write);
        put(&(header.len() as u64).to_le_bytes())?;
        put(&header)?;
        for (parameter, Moments { first, second }) in parameters.iter().zip(moments.iter()) {
            put(&bytes(&parameter.value.to_vec()?))?;
            put(&bytes(first))?;
            put(&bytes(second))?;
        }
        out.flush().map_err(TrainError::Write)
    }

    /// Names, shapes and places of all tensors, as JSON padded to whole words.
    fn header(&self, parameters: &[NamedParameter]) -> Result<Vec<u8>, TrainError> {
        let (mut infos, mut offset) = (Vec::with_capacity(3 * parameters.len()), 0);
        for parameter in parameters {
            let shape = parameter.value.dims();
            for part in PARTS {
                let end = offset + size_of::<f32>() * shape.iter().product::<usize>();
                let info = TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets: (offset, end) };
                infos.push((format!("{part}/{}", parameter.name), info));
                offset = end;
            }
        }
        let metadata = HashMap::from([(UPDATES.to_string(), self.optimizer.updates().to_string())]);
        let metadata = Metadata::new(Some(metadata), infos).map_err(|e| fault(&e))?;
        let mut header = serde_json::to_vec(&metadata).map_err(|e| TrainError::State(e.to_string()))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        Ok(header)
    }

    /// Continues a saved run: `student` gives the shape, `state` (a file, or bytes in memory) everything that was trained.
    /// It is read tensor by tensor.
    ///
    /// # Errors
    /// [`TrainError::State`] where the state is damaged or belongs to another shape.
    pub fn restore<'a>(
        student: Student,
        settings: AdamWRecipe,
        micro_batch_tokens: usize,
        workers: Arc<Workers>,
        state: impl Source + 'a,
    ) -> Result<Self, TrainError> {
        let damaged = |e: StudentError| match e {
            StudentError::Weights { message, .. } => TrainError::State(format!("it is damaged ({message})")),
            other => TrainError::State(other.to_string()),
        };
        let mut file = TensorFile::open("state", Box::new(state)).map_err(damaged)?;
        let updates = file.about(UPDATES).and_then(|n| n.parse().ok());
        let updates = updates.ok_or_else(|| TrainError::State("it does not say how many updates it had".into()))?;

        let mut trainer = Self::new(student, settings, micro_batch_tokens, workers);
        let wanted: Vec<(String, Vec<usize>)> =
            trainer.student.model.trained_parameters().into_iter().map(|p| (p.name, p.value.dims())).collect();
        let (found, expected) = (file.names().len(), PARTS.len() * wanted.len());
        if found != expected {
            return Err(TrainError::State(format!("it has {found} tensors, but the student has {expected}")));
        }
        let (mut weights, mut moments) = (Vec::new(), Vec::new());
        for (name, dims) in &wanted {
            let mut read = |part: &str| {
                let values = file.numbers(&format!("{part}/{name}"), dims).map_err(damaged)?;
                values.ok_or_else(|| TrainError::State(format!("{part}/{name} is missing, or not of shape {dims:?}")))
            };
            weights.push(read(PARTS[0])?);
            moments.push(Moments { first: read(PARTS[1])?, second: read(PARTS[2])? });
        }
        let sizeless = AdamW::new(settings, []);
        trainer.optimizer = std::mem::replace(&mut trainer.optimizer, sizeless).restored(updates, moments);
        let mut weights = weights.into_iter();
        let device = trainer.student.model.device();
        trainer.student.model = trainer.student.model.map_trained(|_, old| match weights.next() {
            Some(values) => {
                let count = values.len();
                old.shaped(Tensor::from_data(TensorData::new(values, [count]), &device))
            }
            None => old,
        });
        Ok(trainer)
    }
}

/// As little-endian bytes, without a copy on machines that have them so.
fn bytes(values: &[f32]) -> Cow<'_, [u8]> {
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(bytemuck::cast_slice(values));
    }
    Cow::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn fault(error: &safetensors::SafeTensorError) -> TrainError {
    TrainError::State(format!("it is damaged ({error})"))
}

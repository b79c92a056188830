//! A training run on disk: weights, moments and the number of updates, as one safetensors file.
//!
//! Loaded back, training goes on as if it had never stopped, to the last bit. Tensors are named `weight/…`, `first/…`
//! and `second/…` with the Hugging Face names behind; they lie as the model keeps them, so this is no checkpoint for
//! others.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::adamw::{AdamW, Moments};
use super::error::TrainError;
use super::trainer::Trainer;
use crate::recipe::AdamWRecipe;
use crate::student::Student;
use crate::student::workers::Workers;

/// Metadata key of the number of updates.
const UPDATES: &str = "footbridge.updates";

impl Trainer {
    /// Weights, moments and update count.
    ///
    /// # Errors
    /// If the device fails, or the state cannot be laid out.
    pub fn state(&self) -> Result<Vec<u8>, TrainError> {
        let mut entries: Vec<(String, Vec<usize>, Cow<[u8]>)> = Vec::new();
        let (parameters, moments) = (self.student.model.trained_parameters(), self.optimizer.moments());
        for (parameter, Moments { first, second }) in parameters.iter().zip(moments.iter()) {
            let dims = parameter.value.dims();
            let weight = parameter.value.to_vec()?;
            entries.push((format!("weight/{}", parameter.name), dims.clone(), Cow::Owned(bytes(&weight).into_owned())));
            for (part, values) in [("first", first), ("second", second)] {
                entries.push((format!("{part}/{}", parameter.name), dims.clone(), bytes(values)));
            }
        }
        let mut views = Vec::with_capacity(entries.len());
        for (name, dims, data) in &entries {
            views.push((name.as_str(), TensorView::new(Dtype::F32, dims.clone(), data).map_err(|e| fault(&e))?));
        }
        let metadata = HashMap::from([(UPDATES.to_string(), self.optimizer.updates().to_string())]);
        safetensors::serialize(views, Some(metadata)).map_err(|e| fault(&e))
    }

    /// Continues a saved run: `student` gives the shape, the state everything that was trained.
    ///
    /// # Errors
    /// [`TrainError::State`] where the bytes are damaged or belong to another shape.
    pub fn restore(
        student: Student,
        settings: AdamWRecipe,
        micro_batch_tokens: usize,
        workers: Arc<Workers>,
        state: &[u8],
    ) -> Result<Self, TrainError> {
        let (_, header) = SafeTensors::read_metadata(state).map_err(|e| fault(&e))?;
        let updates = header.metadata().as_ref().and_then(|m| m.get(UPDATES)).and_then(|n| n.parse().ok());
        let updates = updates.ok_or_else(|| TrainError::State("it does not say how many updates it had".into()))?;
        let tensors = SafeTensors::deserialize(state).map_err(|e| fault(&e))?;

        let mut trainer = Self::new(student, settings, micro_batch_tokens, workers);
        let (mut weights, mut moments) = (Vec::new(), Vec::new());
        for parameter in trainer.student.model.trained_parameters() {
            let read = |part: &str| numbers(&tensors, &format!("{part}/{}", parameter.name), &parameter.value.dims());
            weights.push(read("weight")?);
            moments.push(Moments { first: read("first")?, second: read("second")? });
        }
        if tensors.len() != 3 * weights.len() {
            let (found, expected) = (tensors.len(), 3 * weights.len());
            return Err(TrainError::State(format!("it has {found} tensors, but the student has {expected}")));
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

/// The values of a tensor, which must have these dimensions.
fn numbers(tensors: &SafeTensors, name: &str, dims: &[usize]) -> Result<Vec<f32>, TrainError> {
    let view = tensors.tensor(name).map_err(|_| TrainError::State(format!("{name} is missing")))?;
    if view.dtype() != Dtype::F32 || view.shape() != dims {
        let found = view.shape();
        return Err(TrainError::State(format!("{name} has shape {found:?}, but the student's is {dims:?}")));
    }
    let (words, _) = view.data().as_chunks::<4>();
    Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
}

fn fault(error: &safetensors::SafeTensorError) -> TrainError {
    TrainError::State(format!("it is damaged ({error})"))
}

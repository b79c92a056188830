//! Gates stand after bridge decisions and after diagnoses: `auto` lets pass what passed its checks, `review` waits for
//! the researcher. Passing a gate approves what waits there; what is in review stays in review.

use super::context::{Context, StageError, all};
use super::events::{Event, Level, StageKind};
use crate::session::records::{BridgedTrace, Recycled, Status};
use crate::session::{Author, Batch};

/// Waits at the gate behind this stage, if one stands there and something waits.
pub fn pass(cx: &Context) -> Result<(), StageError> {
    let pending = pending(cx)?;
    if pending == 0 {
        return Ok(());
    }
    cx.control.close_gate();
    cx.emit.send(Event::GateWaiting { stage: cx.stage.clone(), pending });
    cx.control.wait_for_gate()?;
    let approved = approve(cx)?;
    cx.emit.log(Level::Info, format!("{}: {approved} products approved by the researcher", cx.stage));
    Ok(())
}

fn pending(cx: &Context) -> Result<u64, StageError> {
    let waiting = match cx.stage.kind {
        StageKind::Bridge => {
            all::<BridgedTrace>(cx.session, "")?.iter().filter(|(_, b)| b.status == Status::Proposed).count()
        }
        StageKind::Recycle => {
            let all = all::<Recycled>(cx.session, &format!("{}/", cx.stage.iteration))?;
            all.iter().filter(|(_, r)| r.status == Status::Proposed).count()
        }
        _ => 0,
    };
    Ok(waiting as u64)
}

fn approve(cx: &Context) -> Result<usize, StageError> {
    let author = std::env::var("USER").unwrap_or_else(|_| "researcher".into());
    let mut batch = Batch::new(Author::Researcher(author)).because("passed the gate");
    let mut approved = 0;
    if cx.stage.kind == StageKind::Bridge {
        for (key, mut bridged) in all::<BridgedTrace>(cx.session, "")? {
            if bridged.status == Status::Proposed {
                bridged.status = Status::Approved;
                batch.put(&key, &bridged);
                approved += 1;
            }
        }
    } else {
        for (key, mut recycled) in all::<Recycled>(cx.session, &format!("{}/", cx.stage.iteration))? {
            if recycled.status == Status::Proposed {
                recycled.status = Status::Approved;
                batch.put(&key, &recycled);
                approved += 1;
            }
        }
    }
    cx.session.write(batch)?;
    Ok(approved)
}

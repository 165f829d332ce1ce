//! The guest's memory, seen from inside an import: every pointer is checked, nothing is trusted.

use wasmtime::{Caller, Memory};

use super::status::{Fault, Status};
use crate::host::worker::Worker;

/// A guest that has called the host and waits for the answer.
pub(crate) struct Guest<'a> {
    caller: Caller<'a, Worker>,
    memory: Memory,
}

impl<'a> Guest<'a> {
    /// Fails while the module is still being instantiated, when its memory is not known yet.
    pub(crate) fn new(caller: Caller<'a, Worker>) -> Result<Self, Status> {
        let memory = caller.data().memory.ok_or(Status::InvalidMemoryAccess)?;
        Ok(Self { caller, memory })
    }

    pub(crate) fn worker(&mut self) -> &mut Worker {
        self.caller.data_mut()
    }

    /// The bytes at a pointer.
    pub(crate) fn read(&self, pointer: u32, size: u32) -> Result<&[u8], Status> {
        let (start, end) = range(pointer, u64::from(size))?;
        self.memory
            .data(&self.caller)
            .get(start..end)
            .ok_or(Status::InvalidMemoryAccess)
    }

    /// The bytes at a pointer, together with the state that they change.
    pub(crate) fn read_and_worker(
        &mut self,
        pointer: u32,
        size: u32,
    ) -> Result<(&[u8], &mut Worker), Status> {
        let (start, end) = range(pointer, u64::from(size))?;
        let (memory, worker) = self.memory.data_and_store_mut(&mut self.caller);
        let bytes = memory.get(start..end).ok_or(Status::InvalidMemoryAccess)?;
        Ok((bytes, worker))
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Status> {
        let size = u64::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let (start, end) = range(pointer, size)?;
        self.memory
            .data_mut(&mut self.caller)
            .get_mut(start..end)
            .ok_or(Status::InvalidMemoryAccess)?
            .copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), Status> {
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), Status> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Hands bytes over in memory that the guest's own allocator gives; a null pointer for no bytes, as Envoy does.
    pub(crate) fn give(
        &mut self,
        bytes: &[u8],
        pointer_out: u32,
        size_out: u32,
    ) -> Result<(), Fault> {
        let size = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        let pointer = if size == 0 { 0 } else { self.allocate(size)? };
        if size != 0 {
            self.write(pointer, bytes)?;
        }
        self.write_u32(pointer_out, pointer)?;
        self.write_u32(size_out, size)?;
        Ok(())
    }

    fn allocate(&mut self, size: u32) -> Result<u32, Fault> {
        let allocate = self
            .caller
            .data()
            .allocate
            .ok_or(Status::InvalidMemoryAccess)?;
        let typed = allocate
            .typed::<u32, u32>(&self.caller)
            .map_err(Fault::Trap)?;
        match typed.call(&mut self.caller, size).map_err(Fault::Trap)? {
            0 => Err(Status::InvalidMemoryAccess.into()),
            pointer => Ok(pointer),
        }
    }
}

fn range(pointer: u32, size: u64) -> Result<(usize, usize), Status> {
    let start = u64::from(pointer);
    let end = start.checked_add(size).ok_or(Status::InvalidMemoryAccess)?;
    match (usize::try_from(start), usize::try_from(end)) {
        (Ok(start), Ok(end)) => Ok((start, end)),
        _ => Err(Status::InvalidMemoryAccess),
    }
}

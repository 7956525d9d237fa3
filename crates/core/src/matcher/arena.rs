//! Things under numbers that are used again.

/// How much of itself an arena grows by when it is full: memory counts more than a few copies.
const GROWTH: usize = 8;

/// Numbered places.
#[derive(Debug)]
pub(super) struct Arena<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Puts a thing into a free place or a new one.
    pub(super) fn add(&mut self, thing: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.places[number as usize] = thing;
            return number;
        }
        push_lean(&mut self.places, thing);
        self.places.len() as u32 - 1
    }

    /// Lets a place be used again; what is in it stays until then.
    pub(super) fn free(&mut self, number: u32) {
        push_lean(&mut self.free, number);
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.places.get(number as usize)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.places.get_mut(number as usize)
    }

    /// Every place, free ones too.
    pub(super) fn places(&self) -> &[T] {
        &self.places
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.places.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}

/// Adds to the end, without doubling the room when it is used up.
pub(super) fn push_lean<T>(list: &mut Vec<T>, thing: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / GROWTH);
    }
    list.push(thing);
}

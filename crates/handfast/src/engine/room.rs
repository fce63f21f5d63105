//! How many sagas may be in memory, and how many bytes their bodies may take there. Those that were just placed and those that
//! were put aside have rooms of their own, so that neither keeps the other out.

use super::options::Options;
use crate::delivery::Class;

/// One in this many places in memory is for sagas that were put aside. More of it at a time would not drain faster, since
/// writes are committed together whatever their number, and each that is new would wait behind more of them.
const PART_OF_BACKLOG: usize = 4;

/// The sagas in memory, by what brought them there.
#[derive(Debug)]
pub(crate) struct Rooms {
    /// At most this many sagas may be in memory altogether.
    most: usize,
    /// Whether they have rooms of their own. If not, all are in the one for what was just placed.
    are_apart: bool,
    placed: Room,
    put_aside: Room,
}

#[derive(Debug)]
struct Room {
    most: usize,
    most_bytes: usize,
    sagas: usize,
    bytes: usize,
}

impl Rooms {
    pub(crate) fn new(options: &Options) -> Self {
        let (most, most_bytes) = (options.max_active, options.max_active_bytes);
        let are_apart = options.keeps_rooms_apart;
        let part = |of: usize| if are_apart { of.div_ceil(PART_OF_BACKLOG) } else { 0 };
        let (sagas, bytes) = (part(most), part(most_bytes));
        let (placed, put_aside) = (Room::of((most - sagas).max(1), most_bytes - bytes), Room::of(sagas.max(1), bytes));
        Self { most, are_apart, placed, put_aside }
    }

    const fn room(&self, class: Class) -> &Room {
        match class {
            Class::Backlog if self.are_apart => &self.put_aside,
            Class::New | Class::Backlog => &self.placed,
        }
    }

    const fn room_mut(&mut self, class: Class) -> &mut Room {
        match class {
            Class::Backlog if self.are_apart => &mut self.put_aside,
            Class::New | Class::Backlog => &mut self.placed,
        }
    }

    /// Whether one more saga may come into memory, whose bodies take `bytes` bytes as far as that is known. A single one always
    /// may, whatever its size.
    pub(crate) const fn has_place(&self, class: Class, bytes: usize) -> bool {
        let room = self.room(class);
        // Where there is one place only, it is given first come, first served.
        let is_free = room.sagas < room.most && (self.most > 1 || self.placed.sagas + self.put_aside.sagas == 0);
        is_free && (room.bytes == 0 || room.bytes.saturating_add(bytes) < room.most_bytes)
    }

    /// How many more sagas may come into memory, as far as is known of their bodies: none where those that are there have taken all.
    pub(crate) const fn places_left(&self, class: Class) -> usize {
        let room = self.room(class);
        if self.has_place(class, 0) { room.most.saturating_sub(room.sagas) } else { 0 }
    }

    /// Whether the bodies of one more saga may be loaded.
    pub(crate) const fn has_bytes(&self, class: Class) -> bool {
        let room = self.room(class);
        room.bytes == 0 || room.bytes < room.most_bytes
    }

    pub(crate) const fn enter(&mut self, class: Class, bytes: usize) {
        let room = self.room_mut(class);
        room.sagas += 1;
        room.bytes = room.bytes.saturating_add(bytes);
    }

    /// A saga in memory takes `bytes` bytes now, and took `before` bytes until now.
    pub(crate) const fn takes(&mut self, class: Class, before: usize, bytes: usize) {
        let room = self.room_mut(class);
        room.bytes = room.bytes.saturating_sub(before).saturating_add(bytes);
    }

    /// Says whether another saga may have waited for the place.
    pub(crate) const fn leave(&mut self, class: Class, bytes: usize) -> bool {
        let was_full = !self.has_place(class, 0);
        let room = self.room_mut(class);
        room.sagas = room.sagas.saturating_sub(1);
        room.bytes = room.bytes.saturating_sub(bytes);
        was_full
    }
}

impl Room {
    const fn of(most: usize, most_bytes: usize) -> Self {
        Self { most, most_bytes, sagas: 0, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_keeps_the_other_out_and_both_together_keep_within_the_bounds() {
        let mut rooms = Rooms::new(&Options { max_active: 10, max_active_bytes: 400, ..Options::default() });
        for (class, most) in [(Class::New, 7), (Class::Backlog, 3)] {
            for _ in 0..most {
                assert!(rooms.has_place(class, 0), "{class:?}");
                rooms.enter(class, 0);
            }
            assert!(!rooms.has_place(class, 0), "{class:?}");
        }
        assert!(rooms.leave(Class::Backlog, 0) && rooms.has_place(Class::Backlog, 0) && !rooms.has_place(Class::New, 0));
        rooms.takes(Class::New, 0, 1_000);
        assert!(!rooms.has_bytes(Class::New) && rooms.has_place(Class::Backlog, 1_000), "the first one always may");
        rooms.enter(Class::Backlog, 60);
        rooms.leave(Class::Backlog, 0);
        assert!(!rooms.has_place(Class::Backlog, 60) && rooms.has_place(Class::Backlog, 30));
    }

    #[test]
    fn in_one_room_the_first_to_come_has_the_place() {
        let mut rooms = Rooms::new(&Options { max_active: 2, keeps_rooms_apart: false, ..Options::default() });
        rooms.enter(Class::Backlog, 0);
        assert!(rooms.has_place(Class::New, 0));
        rooms.enter(Class::Backlog, 0);
        assert!(!rooms.has_place(Class::New, 0) && !rooms.has_place(Class::Backlog, 0));
        assert!(rooms.leave(Class::Backlog, 0) && rooms.has_place(Class::New, 0));
    }

    #[test]
    fn where_there_is_one_place_the_first_to_come_has_it() {
        let mut rooms = Rooms::new(&Options { max_active: 1, ..Options::default() });
        rooms.enter(Class::New, 0);
        assert!(!rooms.has_place(Class::Backlog, 0));
        assert!(rooms.leave(Class::New, 0) && rooms.has_place(Class::Backlog, 0));
    }
}

typedef int empty_room; /* a room without code yet */

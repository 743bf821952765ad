# A thin front for CMake and Ninja. The two commands that matter:
#   make run     install what is missing, build, boot a board, show its prompt
#   make test    install what is missing, build, run all tests
#
# Others: make bench, soak, mutants, flash, clean. Variables:
#   SAN=1            with sanitizers
#   FLASH=FILE       the chip of `make run` (wipy.flash)
#   RUN='OPTIONS'    more options for `wipy run`
#   CTEST='OPTIONS'  more options for ctest, e.g. CTEST='-L unit'
#   PORT=PORT        where `make flash` writes (default: the running board)
#   V=1              shows every command of the build

BUILD ?= build
ifeq ($(SAN),1)
BUILD := build-san
endif
FLASH ?= wipy.flash
BOARD ?= WIPY
SECONDS ?= 60

.PHONY: all deps configure run test soak bench mutants flash known-board clean

all: configure
	@cmake --build $(BUILD) $(if $(filter 1,$(V)),--verbose)

deps:
	@deps/install

configure: deps
	@test -f $(BUILD)/build.ninja || cmake -G Ninja -S . -B $(BUILD) \
		$(if $(filter 1,$(SAN)),-DSAN=ON) >/dev/null || \
		{ rm -f $(BUILD)/build.ninja; exit 1; }

run: all
	@$(BUILD)/wipy run --flash $(FLASH) $(RUN)

test: all
	@cd $(BUILD) && ctest --output-on-failure -j3 $(CTEST)

# Figures beside named peers and limits, measured in the same run.
bench: all
	@deps/install bench || echo "wipy: going on without"
	@tests/bench/run.sh $(BUILD)

# The long campaigns: power cuts, fuzzing, sessions. SECONDS for each.
soak: all
	@deps/install soak || echo "wipy: going on without"
	@tests/soak.sh $(BUILD) $(SECONDS)

# Breaks the rules of boot and update one by one; each must be noticed.
mutants: configure
	@tests/mutants/run.py

# The thread's command: make V=1 BOARD=WIPY flash. Says what goes where,
# shows the command that does the same from another machine, and flashes.
flash: known-board all
	@$(BUILD)/wipy flash --all-images $(BUILD) --show --flash $(FLASH) \
		$(if $(PORT),--port $(PORT))

known-board:
	$(if $(filter WIPY WIPY1,$(BOARD)),,$(error \
		BOARD=$(BOARD) is not known: it is WIPY (default) or WIPY1))

clean:
	rm -rf build build-*

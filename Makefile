# A thin front for CMake and Ninja. The two commands that matter:
#   make run     install what is missing, build, boot a board, show its prompt
#   make test    install what is missing, build, run all tests (SAN=1: with
#                sanitizers)

BUILD ?= build
ifeq ($(SAN),1)
BUILD := build-san
endif
FLASH ?= wipy.flash

.PHONY: all deps configure run test soak bench mutants flash clean

all: configure
	@cmake --build $(BUILD)

deps:
	@deps/install

configure: deps
	@test -f $(BUILD)/build.ninja || cmake -G Ninja -S . -B $(BUILD) \
		$(if $(filter 1,$(SAN)),-DSAN=ON) >/dev/null

run: all
	@$(BUILD)/wipy run --flash $(FLASH) $(RUN)

test: all
	@cd $(BUILD) && ctest --output-on-failure -j2 $(CTEST)

clean:
	rm -rf build build-*

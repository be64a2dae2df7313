# SPDX-License-Identifier: MIT
# The one door. `make help` lists every target.

SHELL := /bin/bash
VM_KERNELS := 6.1 6.12
DEBUG_KERNELS := debug debug-6.12 kcsan gcov
KVER ?= default
PORT ?= 11213
RUN ?= vm
VM := vm/run
VMFLAGS ?=
SWIFT_FLAGS := -c release --static-swift-stdlib
export KDIR

.DEFAULT_GOAL := all
.PHONY: all help kmod kmods test-kmods tool deps vm run prepare debug-kernels test long soak peer-suite bench check install uninstall clean

all: kmod tool ## Build the module for one kernel (KVER= or KDIR= choose) and the tool.

help: ## List every target.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

kmod: ## Build kmod/kmemcache.ko; KVER= is a kernel release, 6.1 or 6.12, KDIR= a header folder.
	@built=$$(tools/build-module kmod '$(KVER)') && cp "$$built/kmemcache.ko" kmod/kmemcache.ko && \
		echo "kmod/kmemcache.ko is for $$(modinfo -F vermagic kmod/kmemcache.ko)"

kmods: ## Build the module for every kernel that virtual machines boot.
	@for kernel in $(VM_KERNELS); do tools/build-module kmod $$kernel || exit; done

test-kmods: kmods ## Build the module's test module for every kernel that virtual machines boot.
	@for kernel in $(VM_KERNELS); do tools/build-module test-kmod $$kernel || exit; done

tool: ## Build umemcached (.build/release/umemcached), with the Swift runtime inside.
	@command -v swift >/dev/null || { \
		echo "The Swift toolchain (6.1 or later) is missing. Get it for Debian 12 from https://www.swift.org/install/linux/" \
		"and put its usr/bin on PATH." >&2; exit 1; }
	swift build $(SWIFT_FLAGS) --product umemcached

deps: ## Install the Debian packages that building, running and testing need.
	@tools/deps build run test

vm: ## Run CMD='...' in a virtual machine with module and tool; VMFLAGS= are options of vm/run.
	@[ -n "$$COMMAND" ] || { echo "make vm CMD='...'" >&2; exit 64; }
	@case '$(VMFLAGS)' in *--no-module*) ;; *) $(MAKE) -s --no-print-directory kmods tool >&2 ;; esac
	@$(VM) $(VMFLAGS) -- sh -c "$$COMMAND"
# As it was typed: neither make nor a quote may change it.
vm: export COMMAND = $(value CMD)

# The module of the place where it will serve: the guest boots 6.1.
run: KVER := $(if $(filter vm,$(RUN)),6.1,$(KVER))
run: ## Serve from a kernel on 127.0.0.1:PORT (11213): RUN=vm boots one, RUN=host uses this machine's.
	@tools/deps build run
	@$(MAKE) --no-print-directory kmod tool KVER=$(KVER)
	@exec tools/serve $(RUN) $(PORT)

prepare: deps ## Install and build all that the tests need.
	@vm/fetch-kernel $(VM_KERNELS) >/dev/null
	@$(MAKE) --no-print-directory test-kmods tool

test: ## Run the tests that fit in 45 minutes; the last line is "N passed, N failed". SUITES= names some.
	@$(MAKE) --no-print-directory prepare || { echo "0 passed, 1 failed"; exit 1; }
	@tools/run-suites --tier test $(SUITES)

debug-kernels: deps ## Build the kernels that find bugs (DEBUG_KERNELS="debug debug-6.12 kcsan gcov") and the modules for them.
	@tools/deps debug
	@vm/fetch-kernel $(DEBUG_KERNELS) >/dev/null
	@$(MAKE) --no-print-directory test-kmods VM_KERNELS="$(DEBUG_KERNELS)"

long: ## Run the long tests.
	@$(MAKE) --no-print-directory prepare debug-kernels || { echo "0 passed, 1 failed"; exit 1; }
	@tools/run-suites --tier long $(SUITES)

MINUTES ?= 120
soak: ## Load, ten instances, traffic, an end at a random moment, unload, for MINUTES (120); VMFLAGS='--kernel debug' ...
	@$(MAKE) --no-print-directory prepare
	@$(VM) --kernel 6.12 --cpus 4 --timeout $$(($(MINUTES) * 120 + 1800)) $(VMFLAGS) -- \
		env KMC_SOAK_MINUTES=$(MINUTES) KMC_SOAK_SEED=$(or $(SEED),1) Tests/vm/run-suite soak

peer-suite: ## Run memcached's own tests against umemcached: MEMCACHED_SRC= is the source of memcached 1.6.45.
	@[ -z "$(MEMCACHED_SRC)" ] || { tools/deps peer && $(MAKE) --no-print-directory prepare; }
	@Tests/peer/run $(PEERFLAGS) $(MEMCACHED_SRC)

bench: ## Measure kmemcache beside memcached, instructions per request; PEER= is another memcached. Under 15 minutes.
	@$(MAKE) --no-print-directory prepare VM_KERNELS=6.1
	@bench/run --icount --peer memcached $(if $(PEER),--peer $(PEER)) --svg docs/bench.svg

check: ## Hold the rules that a machine can hold: sizes, licences, layers, warnings, sparse.
	@tools/check

export DESTDIR PREFIX MODULE LINK
install: ## Install what was built: DESTDIR=, PREFIX= (/usr/local), MODULE=dkms|modules|sources|none, LINK=yes.
	@tools/install install

uninstall: ## Remove what install has installed, with the same variables.
	@tools/install uninstall

clean: ## Remove what was built; the cache of kernels stays.
	rm -rf .build kmod/kmemcache.ko

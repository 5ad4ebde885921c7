// The SDK's modules for pins, ports and the clock, as far as they are used (ECMA-419, clauses 10 and 18). Only the entry of the firmware
// imports them; everything else is given what it needs.

declare module "embedded:io/digital" {
  const Digital: import("../io").DigitalConstructor;
  export default Digital;
}

declare module "embedded:io/pwm" {
  const PWM: import("../io").PwmConstructor;
  export default PWM;
}

declare module "embedded:io/analog" {
  const Analog: import("../io").AnalogConstructor;
  export default Analog;
}

declare module "embedded:io/serial" {
  const Serial: import("../io").SerialConstructor;
  export default Serial;
}

declare module "embedded:io/i2c" {
  const I2C: new (options: object) => object;
  export default I2C;
}

/** Registers on I2C: what the drivers of clocks are given as `io`. */
declare module "embedded:io/smbus" {
  const SMBus: new (options: object) => object;
  export default SMBus;
}

/** The SDK's driver of a PCF8563: in its manifest modules/drivers/peripherals/pcf8563. */
declare module "embedded:RTC/PCF8563" {
  const PCF8563: import("../rtc").RtcConstructor;
  export default PCF8563;
}
